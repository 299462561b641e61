"""What a message holds: a picture, something that is none, URLs; and whether the bot is asked."""

from __future__ import annotations

import re
from enum import StrEnum

from telegram import (
    Animation,
    Document,
    ExternalReplyInfo,
    Message,
    MessageEntity,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    PhotoSize,
    Sticker,
)

from bot.state.reply_queue import Item, Kind, Note, Origin

#: Most URLs of one message that are followed.
MOST_URLS = 5
_NAME_LENGTH = 60
_ENDINGS = re.compile(r"\.(jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf])$", re.IGNORECASE)
#: Control characters, and those that turn the direction of what follows.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")

_File = PhotoSize | Animation | Sticker | Document


class Refused(StrEnum):
    """What is sent and is no picture."""

    VIDEO = "video"
    SOUND = "sound"
    DOCUMENT = "document"


def picture_in(message: Message | ExternalReplyInfo, number: int) -> Item | Refused | None:
    """The picture of a message (with that id), what else it holds, or None for neither."""
    if message.photo:
        best = max(message.photo, key=lambda size: size.width * size.height)
        return _plain(Kind.PHOTO, best, number)
    if message.animation:
        return _clip(message.animation, number)
    if message.sticker:
        return _sticker(message.sticker, number)
    if message.document:
        return _document(message.document, number)
    if message.video or message.video_note:
        return Refused.VIDEO
    return Refused.SOUND if message.audio or message.voice else None


def urls_in(message: Message) -> list[str]:
    """The http(s) URLs that a message's text holds, each once."""
    kinds: list[str | None] = [MessageEntity.URL, MessageEntity.TEXT_LINK]
    found = []
    for entity, text in (message.parse_entities(kinds) if message.text else {}).items():
        url = entity.url or text
        if "://" not in url:
            url = f"https://{url}"
        if url.lower().startswith(("http://", "https://")):
            found.append(url)
    return list(dict.fromkeys(found))


def is_addressed(message: Message, name: str, bot: int) -> bool:
    """Whether a message asks the bot (its @name without the @, its id) by /check or a mention."""
    kinds: list[str | None] = [
        MessageEntity.MENTION,
        MessageEntity.TEXT_MENTION,
        MessageEntity.BOT_COMMAND,
    ]
    entities = {
        **(message.parse_entities(kinds) if message.text else {}),
        **(message.parse_caption_entities(kinds) if message.caption else {}),
    }
    for entity, text in entities.items():
        if entity.user is not None and entity.user.id == bot:
            return True
        if text.lower() in {f"@{name.lower()}", "/check", f"/check@{name.lower()}"}:
            return True
    return False


def origin_of(message: Message) -> Origin | None:
    """Where a forwarded message came from; names are the sender's to choose, so they are cut."""
    origin = message.forward_origin
    if origin is None:
        return None
    name = ""
    if isinstance(origin, MessageOriginUser):
        name = origin.sender_user.full_name
    elif isinstance(origin, MessageOriginHiddenUser):
        name = origin.sender_user_name
    elif isinstance(origin, MessageOriginChat):
        name = origin.sender_chat.effective_name or ""
    elif isinstance(origin, MessageOriginChannel):
        name = origin.chat.effective_name or ""
    return Origin(name=shown_name(name), date=origin.date)


def shown_name(name: str) -> str:
    """A stranger's name on one line, of bounded length."""
    name = " ".join(_UNSEEN.sub(" ", name).split())
    return name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"


def _document(document: Document, number: int) -> Item | Refused:
    kind = (document.mime_type or "").lower()
    if kind.startswith("image/") or _ENDINGS.search(document.file_name or ""):
        return _plain(Kind.FILE, document, number)
    if kind.startswith("video/"):
        return Refused.VIDEO
    return Refused.SOUND if kind.startswith("audio/") else Refused.DOCUMENT


def _sticker(sticker: Sticker, number: int) -> Item:
    if sticker.is_video:
        return _clip(sticker, number)
    if sticker.is_animated and sticker.thumbnail:  # only Telegram can draw it
        still = _plain(Kind.STICKER, sticker.thumbnail, number)
        return still.model_copy(update={"notes": [Note.THUMBNAIL]})
    return _plain(Kind.STICKER, sticker, number)


def _plain(kind: Kind, file: _File, number: int) -> Item:
    return Item(
        kind=kind,
        message=number,
        file=file.file_id,
        unique=file.file_unique_id,
        size=file.file_size or 0,
    )


def _clip(file: Animation | Sticker, number: int) -> Item:
    item = _plain(Kind.CLIP, file, number)
    item.thumbnail = file.thumbnail.file_id if file.thumbnail else ""
    return item
