"""Reads a message: the pictures and URLs in it, why it holds none, and whether it calls the bot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from telegram import (
    Animation,
    Document,
    ExternalReplyInfo,
    LivePhoto,
    Message,
    MessageEntity,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    PaidMedia,
    PaidMediaLivePhoto,
    PaidMediaPhoto,
    PaidMediaVideo,
    PhotoSize,
    Sticker,
)

from bot.replies.refusals import Refused
from bot.state.reply_queue import Kind, Origin, SentPicture
from unmask.data_url import is_data_url

_MAX_NAME = 60
#: No picture is as large; Telegram's Bot API does not hand out such a file anyway.
_MAX_UNREAD = 20_000_000
#: Control characters, and those that change the direction of the text after them.
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]+")

_File = PhotoSize | Animation | Sticker | Document | LivePhoto
_Media = tuple[SentPicture | Refused, ...]


@dataclass(frozen=True)
class Inbound:
    """What one message asks the bot to examine.

    ``pictures`` are the attached ones: one, or several in a message with paid media. ``refusals``
    are the reasons why the rest of what is attached is not examined. ``urls`` are all that the
    text holds. ``addressed`` says that the message calls the bot, by /check or by a mention.
    ``album`` is Telegram's id of the album that the picture belongs to, if any. ``message`` is the
    id of the message that holds the picture: the message itself or the one that it replies to;
    ``origin`` is where that one was first posted.
    """

    pictures: tuple[SentPicture, ...]
    urls: tuple[str, ...]
    refusals: tuple[Refused, ...]
    addressed: bool
    album: str
    message: int
    origin: Origin | None


def read_message(message: Message, bot_name: str, bot_id: int) -> Inbound:
    """What a message asks of the bot with this @name (without the @) and id.

    A message to the bot that holds nothing itself is about the message that it replies to. In a
    private chat each message is to the bot; in a group, one that calls it.
    """
    addressed = _is_addressed(message, bot_name, bot_id)
    source, media, urls = message, _media(message, message.message_id), _urls(message)
    is_private = message.chat.type == message.chat.PRIVATE
    if (addressed or is_private) and not media and not urls:
        source, media, urls = _replied_to(message, bot_id)
    return Inbound(
        pictures=tuple(part for part in media if isinstance(part, SentPicture)),
        urls=tuple(urls),
        refusals=tuple(part for part in media if isinstance(part, Refused)),
        addressed=addressed,
        album=(message.media_group_id or "") if source is message else "",
        message=source.message_id,
        origin=_origin(source),
    )


def bounded_name(name: str) -> str:
    """A stranger's name on one line, without invisible characters and of bounded length."""
    name = " ".join(_INVISIBLE.sub(" ", name).split())
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def _replied_to(message: Message, bot_id: int) -> tuple[Message, _Media, list[str]]:
    """What a message without media and URLs is about: the message with the picture, and what that
    one holds. The former is the message itself if it replies to none that the bot can see."""
    replied_to = message.reply_to_message
    if replied_to is not None:
        media, urls = _media(replied_to, replied_to.message_id), _urls(replied_to)
        sender = replied_to.from_user
        if sender is not None and sender.id == bot_id:
            has_pictures = any(isinstance(part, SentPicture) for part in media)
            return message, (Refused.OWN_REPLY,) if has_pictures else (), []
        return (replied_to if media or urls else message), media, urls
    if message.reply_to_story is not None:
        return message, (Refused.STORY,), []
    if message.external_reply is not None:
        return message, _media(message.external_reply, message.message_id), []
    return message, (), []


def _media(message: Message | ExternalReplyInfo, number: int) -> _Media:
    """The pictures that are attached to a message (with that id), and why what else is attached is
    refused; empty if nothing is attached."""
    attached = picture_in(message, number)
    if attached is not None:
        return (attached,)
    if message.paid_media:
        parts = message.paid_media.paid_media
        return tuple(_paid(part, number, index) for index, part in enumerate(parts))
    if message.story:
        return (Refused.STORY,)
    if message.video or message.video_note:
        return (Refused.VIDEO,)
    return (Refused.SOUND,) if message.audio or message.voice else ()


def picture_in(message: Message | ExternalReplyInfo, number: int) -> SentPicture | Refused | None:
    """The one file that is attached to a message, None if it is none that may be a picture."""
    if message.live_photo:  # and then Telegram may send the still as a photo too
        return _live_photo(message.live_photo, number)
    if message.photo:
        return _photo(message.photo, number)
    if message.animation:  # which Telegram sends as a document too
        return _clip(message.animation, number)
    if message.sticker:
        return _sticker(message.sticker, number)
    return _document(message.document, number) if message.document else None


def _urls(message: Message) -> list[str]:
    """The http(s) URLs in a message's text, each once; or the ``data:`` URL that it is."""
    if message.text and is_data_url(message.text):
        return [message.text]
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


def _photo(sizes: Sequence[PhotoSize], number: int, index: int = 0) -> SentPicture:
    largest = max(sizes, key=lambda size: size.width * size.height)
    return _picture(Kind.PHOTO, largest, number, index)


def _live_photo(live_photo: LivePhoto, number: int, index: int = 0) -> SentPicture:
    """The still of a live photo; its first frame if Telegram sent none."""
    if not live_photo.photo:
        return _picture(Kind.CLIP, live_photo, number, index)
    still = _photo(live_photo.photo, number, index)
    return still.model_copy(update={"has_video": True})


def _paid(part: PaidMedia, number: int, index: int) -> SentPicture | Refused:
    if isinstance(part, PaidMediaPhoto):
        return _photo(part.photo, number, index)
    if isinstance(part, PaidMediaLivePhoto):
        return _live_photo(part.live_photo, number, index)
    return Refused.VIDEO if isinstance(part, PaidMediaVideo) else Refused.LOCKED


def _document(document: Document, number: int) -> SentPicture | Refused:
    """The file, whatever its name and claimed type: only its bytes tell whether it is a picture.
    The claim counts for a file that is too large for a picture, because it is never fetched."""
    claim = (document.mime_type or "").lower()
    if (document.file_size or 0) > _MAX_UNREAD:
        if claim.startswith("video/"):
            return Refused.VIDEO
        if claim.startswith("audio/"):
            return Refused.SOUND
    return _picture(Kind.FILE, document, number)


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
    kind: Kind,
    file: _File,
    number: int,
    index: int = 0,
    *,
    thumbnail: str = "",
    is_preview: bool = False,
) -> SentPicture:
    return SentPicture(
        kind=kind,
        message=number,
        number=index,
        file=file.file_id,
        unique=file.file_unique_id,
        size=file.file_size or 0,
        thumbnail=thumbnail,
        is_preview=is_preview,
    )
