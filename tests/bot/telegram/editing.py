"""The methods by which a bot edits and deletes its messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.bot.telegram.answers import Json, bad_request
from tests.bot.telegram.chats import Chat
from tests.bot.telegram.limits import checked_keyboard
from tests.bot.telegram.messages import Message
from tests.bot.telegram.requests import Call
from tests.bot.telegram.sending import chat_for_writing, existing, media_content, words

if TYPE_CHECKING:
    from tests.bot.telegram.server import Telegram

_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the same"
    " as a current content and reply markup of the message"
)
_TEXT = {"text", "entities", "link_preview_options"}
_CAPTION = {"caption", "caption_entities"}
_MEDIA = {"photo", "document", "animation", "video"}


def edit_message_text(telegram: Telegram, call: Call) -> Json:
    message = _own(telegram, call)
    if message.kind != "text":
        raise bad_request("there is no text in the message to edit")
    return _changed(message, call, _TEXT, words(call, "text"))


def edit_message_caption(telegram: Telegram, call: Call) -> Json:
    message = _own(telegram, call)
    if message.kind == "text":
        raise bad_request("there is no caption in the message to edit")
    return _changed(message, call, _CAPTION, words(call, "caption"))


def edit_message_media(telegram: Telegram, call: Call) -> Json:
    message = _own(telegram, call)
    item = call.json("media", {})
    content, file = media_content(telegram, call, item)
    if "media_group_id" in message.content and item["type"] != message.kind:
        raise bad_request("can't change the type of a message in an album")
    new = content | words(call, "caption", item)
    changed = _changed(message, call, _TEXT | _CAPTION | _MEDIA, new)
    message.file = file
    return changed


def edit_message_reply_markup(telegram: Telegram, call: Call) -> Json:
    return _changed(_own(telegram, call), call, set(), {})


def delete_message(telegram: Telegram, call: Call) -> bool:
    chat = telegram.chat_of(call)
    message = existing(chat, call, "message to delete not found")
    if not _may_delete(telegram, chat, message):
        raise bad_request("message can't be deleted")
    message.deleted = True
    return True


def delete_messages(telegram: Telegram, call: Call) -> bool:
    chat = telegram.chat_of(call)
    for number in call.json("message_ids", []):
        message = chat.messages.get(number)
        if message and _may_delete(telegram, chat, message):
            message.deleted = True
    return True


def _own(telegram: Telegram, call: Call) -> Message:
    """The message of the bot that a call edits."""
    message = existing(chat_for_writing(telegram, call), call, "message to edit not found")
    if message.sender is not telegram.bot:
        raise bad_request("message can't be edited")
    return message


def _changed(message: Message, call: Call, gone: set[str], new: Json) -> Json:
    """The edited message; its keyboard is removed unless the call sends one."""
    keyboard = checked_keyboard(call.json("reply_markup"))
    if keyboard and keyboard.get("inline_keyboard"):
        new = new | {"reply_markup": keyboard}
    kept = {k: v for k, v in message.content.items() if k not in gone | {"reply_markup"}}
    content = kept | new
    if content == message.content:
        raise bad_request(_SAME)
    message.before.append(message.content)
    message.content = content
    return message.json


def _may_delete(telegram: Telegram, chat: Chat, message: Message) -> bool:
    rights = chat.status.get(telegram.bot.id) == "administrator"
    return message.sender is telegram.bot or chat.kind == "private" or rights


METHODS: dict[str, Callable[[Telegram, Call], object]] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
}
