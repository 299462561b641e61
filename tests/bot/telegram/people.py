"""People who write to the bot, and the chats in which they do."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from PIL import Image

from tests.bot.telegram.answers import Json
from tests.bot.telegram.chats import Chat, User
from tests.bot.telegram.files import File
from tests.bot.telegram.markup import detected_entities
from tests.bot.telegram.messages import Message
from tests.bot.telegram.video import mp4

if TYPE_CHECKING:
    from tests.bot.telegram.server import Telegram

#: The account that copies the posts of a channel into its discussion group.
_TELEGRAM = User(777000, "Telegram")


@dataclass
class Press:
    """A pressed button; ``text``, ``alert`` and ``url`` are the bot's answer."""

    id: str
    update: Json
    answered: bool = False
    expired: bool = False
    text: str = ""
    alert: bool = False
    url: str = ""


class Room:
    """A chat with the bot, as a test reads it: the bot's messages in order, each once."""

    def __init__(self, telegram: Telegram, chat: Chat) -> None:
        self.telegram = telegram
        self.chat = chat
        telegram.chats[chat.id] = chat

    @property
    def written(self) -> list[Message]:
        """What the bot wrote here and did not delete."""
        return self.telegram.written(self.chat)

    async def answers(self, number: int, timeout: float = 60) -> list[Message]:
        """The bot's next ``number`` messages that the test has not read yet."""
        chat, until = self.chat, self.chat.read_count + number
        what = f"answer {until} in {chat.title or chat.id}"
        await self.telegram.until(lambda: len(self.written) >= until, timeout, what)
        messages = self.written[chat.read_count : until]
        chat.read_count = until
        return messages

    async def answer(self, timeout: float = 60) -> Message:
        """The bot's next message."""
        return (await self.answers(1, timeout))[0]

    @property
    def unread(self) -> list[Message]:
        """The bot's messages that the test has not read yet."""
        return self.written[self.chat.read_count :]


class Group(Room):
    """A supergroup; the bot is a member."""

    def __init__(self, telegram: Telegram, title: str, *people: Person) -> None:
        chat = Chat(-telegram.new_id("group", 1_001_000_000_000), "supergroup", title)
        chat.status[telegram.bot.id] = "member"
        chat.status |= {person.user.id: "member" for person in people}
        super().__init__(telegram, chat)


class Channel:
    """A channel with a discussion group; the bot is only in the group."""

    def __init__(self, telegram: Telegram, title: str, group: Group) -> None:
        self.telegram = telegram
        self.group = group
        self.chat = Chat(-telegram.new_id("channel", 1_002_000_000_000), "channel", title)
        self.chat.linked, group.chat.linked = group.chat, self.chat
        telegram.chats[self.chat.id] = self.chat
        telegram.users.setdefault(_TELEGRAM.id, _TELEGRAM)

    async def posts_photo(self, data: bytes, caption: str = "") -> Message:
        """A post, and Telegram's copy of it in the group, which is returned."""
        sizes = self.telegram.files.photo(data)
        content: Json = {"photo": [size.size_json for size in sizes]} | _words(caption, "caption")
        post = self.telegram.write(self.chat, None, content, sizes[-1])
        origin = {"type": "channel", "chat": self.chat.json, "message_id": post.id}
        content = content | {
            "sender_chat": self.chat.json,
            "is_automatic_forward": True,
            "forward_origin": origin | {"date": post.date},
        }
        copy = self.telegram.write(self.group.chat, _TELEGRAM, content, sizes[-1])
        await deliver(self.telegram, copy)
        return copy


class Person(Room):
    """A user with a private chat with the bot. They write there or ``to`` a group, in
    ``reply_to`` a message, or in a ``topic`` of a forum."""

    def __init__(
        self, telegram: Telegram, name: str, language: str = "en", number: int | None = None
    ) -> None:
        user_id = number or telegram.new_id("user", 500_000_000)
        self.user = User(user_id, name, name.lower() + str(user_id % 1000), language)
        telegram.users[self.user.id] = self.user
        super().__init__(telegram, Chat(self.user.id, "private", name, self.user.username))

    async def says(
        self, text: str, *, to: Room | None = None, reply_to: Message | None = None, **more: Any
    ) -> Message:
        return await self.sends(_words(text, "text") | more, to=to, reply_to=reply_to)

    async def sends_photo(self, data: bytes, caption: str = "", **where: Any) -> Message:
        """A photo, which Telegram re-encodes; its ``data`` are the bytes that bots get."""
        sizes = self.telegram.files.photo(data)
        return await self.sends_sizes(sizes, caption, **where)

    async def sends_sizes(self, sizes: list[File], caption: str = "", **where: Any) -> Message:
        """A photo that Telegram has encoded already."""
        content: Json = {"photo": [size.size_json for size in sizes]}
        return await self.sends(content | _words(caption, "caption"), sizes[-1], **where)

    async def sends_file(
        self, data: bytes, name: str = "photo.jpg", *, mime: str | None = None, **where: Any
    ) -> Message:
        """A file, which reaches the bot byte for byte."""
        file = self.telegram.files.keep(data, "document", name=name, mime=mime)
        caption = _words(where.pop("caption", ""), "caption")
        return await self.sends({"document": file.document_json} | caption, file, **where)

    async def sends_album(
        self, pictures: list[bytes], *, files: bool = False, caption: str = "", **where: Any
    ) -> list[Message]:
        """Several photos at once, or several files; the first has the caption."""
        album = self.telegram.new_album()
        send = self.sends_file if files else self.sends_photo
        return [
            await send(data, caption="" if number else caption, album=album, **where)
            for number, data in enumerate(pictures)
        ]

    async def sends_paid_media(self, *pictures: bytes | None) -> Message:
        """Paid photos; of one that is None the bot gets a preview without a file, as Telegram does
        while it is not paid for."""
        parts: list[Json] = []
        file = None
        for data in pictures:
            sizes = [] if data is None else self.telegram.files.photo(data)
            file = file or (sizes[-1] if sizes else None)
            part: Json = {"type": "photo", "photo": [size.size_json for size in sizes]}
            parts.append(part if sizes else {"type": "preview", "width": 320, "height": 320})
        return await self.sends({"paid_media": {"star_count": 5, "paid_media": parts}}, file)

    async def sends_sticker(self, data: bytes, *, animated: bool = False) -> Message:
        """A sticker: WebP, or a packed animation of vectors, with a small WebP beside it."""
        with Image.open(BytesIO(data)) as image:
            size = image.size
        still = self.telegram.files.keep(data, "sticker", size=size)
        small = self.telegram.files.thumbnail(data)
        file = still
        if animated:
            file = self.telegram.files.keep(b"\x1f\x8b packed vectors", "sticker")
        content = file.size_json | {"width": size[0], "height": size[1]}
        content |= {"is_animated": animated, "is_video": False, "type": "regular", "emoji": "🙂"}
        return await self.sends({"sticker": content | {"thumbnail": small.size_json}}, file)

    async def sends_gif(self, frames: list[Image.Image], *, kept: bool = False) -> Message:
        """A GIF, which Telegram turns into a video without sound; ``kept``: sent as it is."""
        first = BytesIO()
        frames[0].convert("RGB").save(first, "PNG")
        out = BytesIO()
        frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=100)
        data, name, mime = (
            (out.getvalue(), "a.gif", "image/gif") if kept else (mp4(frames), "a.mp4", "video/mp4")
        )
        files = self.telegram.files
        file = files.keep(data, "animation", name=name, mime=mime, size=frames[0].size)
        small = {"thumbnail": files.thumbnail(first.getvalue()).size_json}
        document = file.document_json | small
        sides = {"width": frames[0].width, "height": frames[0].height, "duration": 1}
        return await self.sends({"animation": document | sides, "document": document}, file)

    async def forwards(
        self, message: Message, *, hidden: bool = False, album: Json | None = None, **where: Any
    ) -> Message:
        """A forwarded message, with its origin; ``hidden``: its sender hides their account."""
        origin: Json = {"date": message.date}
        if hidden or message.sender is None:
            name = message.chat.title if message.sender is None else message.sender.first_name
            kind: Json = {"type": "hidden_user", "sender_user_name": name}
            if message.sender is None:
                kind = {"type": "channel", "chat": message.chat.json, "message_id": message.id}
            origin |= kind
        else:
            origin |= {"type": "user", "sender_user": message.sender.json}
        content = dict(message.content) | {"forward_origin": origin}
        content.pop("media_group_id", None)
        file = message.file
        if file and "photo" in content:
            again = self.telegram.files.again(file)
            content["photo"] = [*content["photo"][:-1], again.size_json]
            file = again
        return await self.sends(content, file, album=album, **where)

    async def edits(self, message: Message, text: str) -> None:
        name = "text" if message.kind == "text" else "caption"
        message.content = message.content | _words(text, name)
        content = message.json | {"edit_date": int(time.time())}
        self.telegram.updates.add("edited_message", content)

    async def presses(self, message: Message, label: str, timeout: float = 60) -> Press:
        """Press a button; returns once the bot has answered the press."""
        press = self.touches(message, message.button(label)["callback_data"])
        await self.telegram.until(lambda: press.answered, timeout, f"the answer to {label!r}")
        return press

    def touches(self, message: Message, data: str, *, expired: bool = False) -> Press:
        """Send callback data, that of a button or any other, without waiting; ``expired``: the
        bot's answer will be too late."""
        query: Json = {
            "id": str(uuid4().int % 10**18),
            "from": self.user.json,
            "chat_instance": str(message.chat.id * 31),
            "message": message.json,
            "data": data,
        }
        press = Press(query["id"], query, expired=expired)
        self.telegram.presses[press.id] = press
        self.telegram.updates.add("callback_query", query)
        return press

    def blocks(self) -> None:
        """Block the bot: it gets an update and may not write here any more."""
        self.user.blocked = True
        bot = self.telegram.bot.json
        change: Json = {"old_chat_member": {"user": bot, "status": "member"}}
        change |= {"new_chat_member": {"user": bot, "status": "kicked", "until_date": 0}}
        fields: Json = {"chat": self.chat.json, "from": self.user.json, "date": int(time.time())}
        self.telegram.updates.add("my_chat_member", fields | change)

    async def sends(
        self,
        content: Json,
        file: File | None = None,
        *,
        to: Room | None = None,
        reply_to: Message | None = None,
        album: Json | None = None,
        topic: int = 0,
    ) -> Message:
        """A message with this content, in the form of the Bot API."""
        chat = (to or self).chat
        thread: Json = {}
        if topic:
            thread = {"message_thread_id": topic, "is_topic_message": True}
        elif reply_to and reply_to.content.get("is_automatic_forward"):
            thread = {"message_thread_id": reply_to.id}
        content = content | (album or {}) | thread
        message = self.telegram.write(chat, self.user, content, file, reply_to)
        await deliver(self.telegram, message)
        return message


async def deliver(telegram: Telegram, message: Message) -> None:
    """Deliver a message to the bot, if the bot gets such messages."""
    if message.chat.kind == "private" or _shown(telegram, message):
        telegram.updates.add("message", message.json)
    await asyncio.sleep(0)


def _shown(telegram: Telegram, message: Message) -> bool:
    """Whether the bot gets a message of a group: all of them without privacy or as administrator,
    else commands, mentions and replies to its own messages."""
    status = message.chat.status.get(telegram.bot.id, "left")
    if status == "left":
        return False
    if not telegram.privacy or status == "administrator":
        return True
    name = f"@{telegram.bot.username}".lower()
    text = message.text.lower()
    command = text.partition(" ")[0].partition("\n")[0]
    if command.startswith("/"):
        return "@" not in command or command.endswith(name)
    answers_bot = message.reply_to is not None and message.reply_to.sender is telegram.bot
    return answers_bot or name in text


def _words(text: str, name: str) -> Json:
    if not text:
        return {}
    entities = detected_entities(text)
    label = "entities" if name == "text" else "caption_entities"
    return {name: text} | ({label: entities} if entities else {})
