"""Reads a message: the pictures and URLs in it, why it holds none, and whether it calls the bot."""

from __future__ import annotations

import re
from dataclasses import dataclass
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

from bot.state.reply_queue import Kind, Origin, SentPicture

_MAX_NAME = 60
_EXTENSIONS = re.compile(r"\.(jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf])$", re.IGNORECASE)
#: Control characters, and those that change the direction of the text after them.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")

_File = PhotoSize | Animation | Sticker | Document


class Refusal(StrEnum):
    """Why what a message holds is not examined."""

    VIDEO = "video"
    SOUND = "sound"
    DOCUMENT = "document"
    OWN_REPLY = "own_reply"


@dataclass(frozen=True)
class Inbound:
    """What one message asks the bot to examine.

    ``pictures`` are the attached ones (Telegram attaches one to a message), ``urls`` all that the
    text holds. ``addressed`` says that the message calls the bot, by /check or by a mention.
    ``album`` is Telegram's id of the album that the picture belongs to, if any. ``message`` is the
    id of the message that holds the picture: the message itself or the one that it replies to;
    ``origin`` is where that one was first posted.
    """

    pictures: tuple[SentPicture, ...]
    urls: tuple[str, ...]
    refusal: Refusal | None
    addressed: bool
    album: str
    message: int
    origin: Origin | None


def read_message(message: Message, bot_name: str, bot_id: int) -> Inbound:
    """What a message asks of the bot with this @name (without the @) and id.

    A message that calls the bot and holds nothing itself is about the message that it replies to.
    """
    addressed = _is_addressed(message, bot_name, bot_id)
    source, media, urls = message, _media(message, message.message_id), _urls(message)
    replied_to = message.reply_to_message
    if addressed and media is None:
        if replied_to is not None and not urls:
            source, urls = replied_to, _urls(replied_to)
            media = _media(replied_to, replied_to.message_id)
            sender = replied_to.from_user
            if isinstance(media, SentPicture) and sender is not None and sender.id == bot_id:
                media = Refusal.OWN_REPLY
        elif message.external_reply is not None:
            media = _media(message.external_reply, message.message_id)
    return Inbound(
        pictures=(media,) if isinstance(media, SentPicture) else (),
        urls=tuple(urls),
        refusal=media if isinstance(media, Refusal) else None,
        addressed=addressed,
        album=(message.media_group_id or "") if source is message else "",
        message=source.message_id,
        origin=_origin(source),
    )


def bounded_name(name: str) -> str:
    """A stranger's name on one line, without invisible characters and of bounded length."""
    name = " ".join(_INVISIBLE.sub(" ", name).split())
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def _media(message: Message | ExternalReplyInfo, number: int) -> SentPicture | Refusal | None:
    """The picture that is attached to a message (with that id), why what is attached is refused, or
    None if nothing is attached."""
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return _picture(Kind.PHOTO, largest, number)
    if message.animation:
        return _clip(message.animation, number)
    if message.sticker:
        return _sticker(message.sticker, number)
    if message.document:
        return _document(message.document, number)
    if message.video or message.video_note:
        return Refusal.VIDEO
    return Refusal.SOUND if message.audio or message.voice else None


def _urls(message: Message) -> list[str]:
    """The http(s) URLs in a message's text, each once."""
    kinds: list[str | None] = [MessageEntity.URL, MessageEntity.TEXT_LINK]
    urls = []
    for entity, text in (message.parse_entities(kinds) if message.text else {}).items():
        url = entity.url or text
        if "://" not in url:
            url = f"https://{url}"
        if url.lower().startswith(("http://", "https://")):
            urls.append(url)
    return list(dict.fromkeys(urls))


def _is_addressed(message: Message, bot_name: str, bot_id: int) -> bool:
    """Whether a message calls the bot by /check or by a mention."""
    kinds: list[str | None] = [
        MessageEntity.MENTION,
        MessageEntity.TEXT_MENTION,
        MessageEntity.BOT_COMMAND,
    ]
    entities = {
        **(message.parse_entities(kinds) if message.text else {}),
        **(message.parse_caption_entities(kinds) if message.caption else {}),
    }
    name = bot_name.lower()
    for entity, text in entities.items():
        if entity.user is not None and entity.user.id == bot_id:
            return True
        if text.lower() in {f"@{name}", "/check", f"/check@{name}"}:
            return True
    return False


def _origin(message: Message) -> Origin | None:
    """Where a forwarded message was first posted. Its sender chose the name, so it is bounded."""
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
    return Origin(name=bounded_name(name), date=origin.date)


def _document(document: Document, number: int) -> SentPicture | Refusal:
    mime_type = (document.mime_type or "").lower()
    if mime_type.startswith("image/") or _EXTENSIONS.search(document.file_name or ""):
        return _picture(Kind.FILE, document, number)
    if mime_type.startswith("video/"):
        return Refusal.VIDEO
    return Refusal.SOUND if mime_type.startswith("audio/") else Refusal.DOCUMENT


def _sticker(sticker: Sticker, number: int) -> SentPicture:
    if sticker.is_video:
        return _clip(sticker, number)
    if sticker.is_animated and sticker.thumbnail:  # vectors, which only Telegram can draw
        return _picture(Kind.STICKER, sticker.thumbnail, number, is_preview=True)
    return _picture(Kind.STICKER, sticker, number)


def _clip(file: Animation | Sticker, number: int) -> SentPicture:
    thumbnail = file.thumbnail.file_id if file.thumbnail else ""
    return _picture(Kind.CLIP, file, number, thumbnail=thumbnail)


def _picture(
    kind: Kind, file: _File, number: int, *, thumbnail: str = "", is_preview: bool = False
) -> SentPicture:
    return SentPicture(
        kind=kind,
        message=number,
        file=file.file_id,
        unique=file.file_unique_id,
        size=file.file_size or 0,
        thumbnail=thumbnail,
        is_preview=is_preview,
    )
