"""A message: its JSON as bots get it, and properties for the tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.bot.telegram.answers import Json
from tests.bot.telegram.files import File

if TYPE_CHECKING:
    from tests.bot.telegram.chats import Chat, User

#: Fields that a message has, but not when it is nested in another: Telegram nests one deep.
_NOT_NESTED = frozenset({"reply_to_message"})


@dataclass
class Message:
    """One message. ``file`` is the largest picture or the document that it carries."""

    chat: Chat
    id: int
    sender: User | None
    date: int
    content: Json
    file: File | None = None
    reply_to: Message | None = None
    deleted: bool = False
    #: Its content before each edit.
    before: list[Json] = field(default_factory=list)
    reactions: list[str] = field(default_factory=list)

    @property
    def nested(self) -> Json:
        """Its JSON without the message that it answers."""
        fields: Json = {"message_id": self.id, "date": self.date, "chat": self.chat.json}
        if self.sender:
            fields["from"] = self.sender.json
        fields |= {k: v for k, v in self.content.items() if k not in _NOT_NESTED}
        return fields

    @property
    def json(self) -> Json:
        reply = {"reply_to_message": self.reply_to.nested} if self.reply_to else {}
        return self.nested | reply

    @property
    def text(self) -> str:
        """Its text or caption, without markup."""
        return str(self.content.get("text") or self.content.get("caption") or "")

    @property
    def data(self) -> bytes:
        """The bytes of its file, as a bot would download them or as the bot uploaded them."""
        assert self.file is not None, f"the message carries no file: {self.content}"
        return self.file.data

    @property
    def kind(self) -> str:
        """photo, document, sticker, animation, video or text."""
        kinds = ("photo", "sticker", "animation", "document", "video")
        return next((kind for kind in kinds if kind in self.content), "text")

    @property
    def buttons(self) -> list[Json]:
        """Its inline buttons, row by row."""
        rows = (self.content.get("reply_markup") or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]

    @property
    def links(self) -> list[str]:
        """Where its text and buttons lead."""
        entities = self.content.get("entities", []) + self.content.get("caption_entities", [])
        return [part["url"] for part in (*entities, *self.buttons) if part.get("url")]

    def button(self, label: str) -> Json:
        """The button with this text, or else one whose text or data contains it, ignoring case."""
        wanted = label.casefold()
        exact = [button for button in self.buttons if button["text"].casefold() == wanted]
        for button in exact or self.buttons:  # the data holds random letters and digits
            words = f"{button['text']} {button.get('callback_data', '')}".casefold()
            if wanted in words:
                return button
        raise AssertionError(f"no button {label!r} among {self.buttons}")

    def has_button(self, label: str) -> bool:
        try:
            return bool(self.button(label))
        except AssertionError:
            return False

    def __str__(self) -> str:
        who = self.sender.first_name if self.sender else self.chat.title
        return f"#{self.id} {who}: [{self.kind}] {self.text}"
