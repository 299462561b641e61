"""A Telegram to try a bot on by hand: ``python -m tests.bot.telegram --port 8081``.

Shows each call of the bot; what is typed is sent to it. Pictures that the bot sends are written
into a folder.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from pathlib import Path

from PIL import Image

from tests.bot.telegram.people import Group, Person, Room
from tests.bot.telegram.server import TOKEN, Telegram, running_telegram

HELP = """\
  photo FILE [CAPTION]    file FILE    album FILE FILE...    sticker FILE    gif FILE
  forward N               pass on message N of this chat
  press N LABEL           press the button of message N whose words or data hold LABEL
  group / private         write into a group / to the bot alone
  reply N TEXT            answer message N
  as NAME [LANGUAGE]      be somebody else
  anything else           is said as it is, such as /start
"""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Console:
    """One line after the other."""

    def __init__(self, telegram: Telegram, language: str) -> None:
        self.telegram = telegram
        self.people = {"Ada": Person(telegram, "Ada", language)}
        self.me = self.people["Ada"]
        self.group = Group(telegram, "Fact desk", self.me)
        self.room: Room = self.me

    async def obey(self, line: str) -> None:
        word, *rest = shlex.split(line)
        to = self.room
        if word == "photo":
            await self.me.sends_photo(Path(rest[0]).read_bytes(), " ".join(rest[1:]), to=to)
        elif word == "file":
            path = Path(rest[0])
            await self.me.sends_file(path.read_bytes(), path.name, to=to)
        elif word == "album":
            await self.me.sends_album([Path(name).read_bytes() for name in rest], to=to)
        elif word == "sticker":
            await self.me.sends_sticker(Path(rest[0]).read_bytes())
        elif word == "gif":
            with Image.open(rest[0]) as image:
                await self.me.sends_gif([image.convert("RGB")] * 3)
        elif word == "forward":
            await self.me.forwards(to.chat.messages[int(rest[0])])
        elif word == "press":
            message = to.chat.messages[int(rest[0])]
            self.me.touches(message, message.button(rest[1])["callback_data"])
        elif word == "reply":
            answered = to.chat.messages[int(rest[0])]
            await self.me.says(" ".join(rest[1:]), to=to, reply_to=answered)
        else:
            self.go(word, rest) or await self.me.says(line, to=to)

    def go(self, word: str, rest: list[str]) -> bool:
        """Change who writes, or where; False if ``word`` asks for neither."""
        if word == "as":
            name, language = rest[0], rest[1] if len(rest) > 1 else "en"
            self.me = self.people.get(name) or Person(self.telegram, name, language)
            self.room = self.people[name] = self.me
            self.group.chat.status[self.me.user.id] = "member"
        elif word in ("group", "private"):
            self.room = self.group if word == "group" else self.me
        elif word == "help":
            say(HELP)
        else:
            return False
        return True


def keep_pictures(telegram: Telegram, folder: Path) -> None:
    """Write each file that the bot uploads."""
    folder.mkdir(parents=True, exist_ok=True)
    for call in telegram.calls[-1:]:
        for upload in call.uploads.values():
            path = folder / f"{call.number}-{Path(upload.name).name}"
            path.write_bytes(upload.data)
            say(f"  wrote {path}")


async def serve(port: int, language: str, folder: Path) -> None:
    telegram = Telegram()
    telegram.listeners.append(say)
    telegram.listeners.append(lambda _: keep_pictures(telegram, folder))
    async with running_telegram(telegram, port):
        say(f"token         {TOKEN}")
        say(f"base_url      {telegram.base_url}\nbase_file_url {telegram.base_file_url}\n{HELP}")
        console = Console(telegram, language)
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                if line.strip():
                    await console.obey(line.strip())
            except (OSError, AssertionError, KeyError, ValueError, IndexError) as error:
                say(f"  {type(error).__name__}: {error}")
        await asyncio.Event().wait()  # without a terminal it serves on


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--language", default="en", help="of Ada, who writes first")
    parser.add_argument("--pictures", type=Path, default=Path("/tmp/unmask-telegram"))
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.language, options.pictures))


if __name__ == "__main__":
    main()
