"""The methods by which a bot sends messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.bot.telegram.answers import Json, bad_request, forbidden
from tests.bot.telegram.chats import Chat
from tests.bot.telegram.files import File
from tests.bot.telegram.limits import (
    checked_action,
    checked_caption,
    checked_document,
    checked_keyboard,
    checked_photo,
    checked_reactions,
    checked_text,
)
from tests.bot.telegram.markup import detected_entities, parsed
from tests.bot.telegram.messages import Message
from tests.bot.telegram.requests import Call, Upload

if TYPE_CHECKING:
    from tests.bot.telegram.server import Telegram

MESSAGE_FIELDS = {"text": ("text", "entities"), "caption": ("caption", "caption_entities")}


def chat_for_writing(telegram: Telegram, call: Call) -> Chat:
    """The chat that a call names, if the bot may write there."""
    chat = telegram.chat_of(call)
    if chat.kind == "private":
        user = telegram.users[chat.id]
        if user.blocked:
            raise forbidden("bot was blocked by the user")
        if not any(message.sender is user for message in chat.messages.values()):
            raise forbidden("bot can't initiate conversation with a user")
    elif not chat.has(telegram.bot):
        raise forbidden(f"bot is not a member of the {chat.kind} chat")
    return chat


def words(call: Call, name: str, source: Json | None = None) -> Json:
    """Text or caption with its entities, within the limits; empty if there is none."""
    params = call.params if source is None else source
    text, entities_name = MESSAGE_FIELDS[name]
    plain, entities = parsed(str(params.get(text) or ""), str(params.get("parse_mode") or ""))
    plain = (checked_text if name == "text" else checked_caption)(plain)
    if source is None:
        entities = call.json(entities_name) or entities
    marked = sorted(entities + detected_entities(plain), key=lambda entity: entity["offset"])
    if not plain:
        return {}
    return {text: plain} | ({entities_name: marked} if marked else {})


def answered(chat: Chat, call: Call) -> Message | None:
    """The message that the call replies to."""
    parameters = call.json("reply_parameters") or {}
    number = int(parameters.get("message_id") or call.number_of("reply_to_message_id", 0))
    if not number:
        return None
    message = chat.messages.get(number)
    if message is None or message.deleted:
        allowed = parameters.get(
            "allow_sending_without_reply", call.flag("allow_sending_without_reply")
        )
        if not allowed:
            raise bad_request("message to be replied not found")
        return None
    return message


def send_message(telegram: Telegram, call: Call) -> Json:
    chat = chat_for_writing(telegram, call)
    content = words(call, "text")
    if preview := call.json("link_preview_options"):
        content["link_preview_options"] = preview
    return _sent(telegram, chat, call, content)


def send_photo(telegram: Telegram, call: Call) -> Json:
    chat = chat_for_writing(telegram, call)
    content, file = photo_content(telegram, call, call.upload("photo"))
    return _sent(telegram, chat, call, content | words(call, "caption"), file)


def send_document(telegram: Telegram, call: Call) -> Json:
    chat = chat_for_writing(telegram, call)
    content, file = document_content(telegram, call, call.upload("document"))
    return _sent(telegram, chat, call, content | words(call, "caption"), file)


def send_media_group(telegram: Telegram, call: Call) -> list[Json]:
    chat = chat_for_writing(telegram, call)
    media = call.json("media", [])
    if not 2 <= len(media) <= 10:
        raise bad_request("there must be 2 to 10 media in a group")
    if len({item["type"] for item in media}) > 1:
        raise bad_request("documents can't be mixed with other media types")
    made = [(media_content(telegram, call, item), words(call, "caption", item)) for item in media]
    reply, group = answered(chat, call), telegram.new_album() | _thread(chat, call)
    return [
        telegram.write(chat, telegram.bot, content | text | group, file, reply).json
        for (content, file), text in made
    ]


def send_chat_action(telegram: Telegram, call: Call) -> bool:
    chat = chat_for_writing(telegram, call)
    checked_action(call.text("action"))
    return bool(chat)


def set_message_reaction(telegram: Telegram, call: Call) -> bool:
    chat = chat_for_writing(telegram, call)
    message = existing(chat, call, "message to react not found")
    message.reactions = [one["emoji"] for one in checked_reactions(call.json("reaction", []))]
    return True


def existing(chat: Chat, call: Call, why: str) -> Message:
    """The message that a call names; refused with ``why`` if there is none."""
    message = chat.messages.get(call.number_of("message_id"))
    if message is None or message.deleted:
        raise bad_request(why)
    return message


def media_content(telegram: Telegram, call: Call, item: Json) -> tuple[Json, File]:
    """The content of an InputMedia, and its file."""
    make = {"photo": photo_content, "document": document_content}.get(item["type"])
    if make is None:
        raise bad_request(f"this Telegram takes no media of the type {item['type']}")
    return make(telegram, call, call.attached(str(item["media"])))


def photo_content(telegram: Telegram, call: Call, upload: Upload | str) -> tuple[Json, File]:
    """A photo is kept as it was uploaded, so that tests can compare it; Telegram would re-encode
    it."""
    if isinstance(upload, Upload):
        size = (1, 1) if telegram.hasty else checked_photo(upload.data)
        file = telegram.files.keep(upload.data, "photo", size=size)
    else:
        file = file_by_id(telegram, upload, "photo")
    small = file if telegram.hasty else telegram.files.thumbnail(file.data)
    return {"photo": [small.size_json, file.size_json]}, file


def document_content(telegram: Telegram, call: Call, upload: Upload | str) -> tuple[Json, File]:
    if isinstance(upload, Upload):
        checked_document(upload.data)
        file = telegram.files.keep(upload.data, "document", name=upload.name, mime=upload.mime)
    else:
        file = file_by_id(telegram, upload, "document")
    return {"document": file.document_json}, file


def file_by_id(telegram: Telegram, file_id: str, kind: str) -> File:
    """A file that the bot names by id; it must be of that kind."""
    file = telegram.files.by_id(file_id)
    if file.kind != kind:
        raise bad_request(f"type of file mismatch: can't use file of type {file.kind} as {kind}")
    return telegram.files.again(file)


def _sent(
    telegram: Telegram, chat: Chat, call: Call, content: Json, file: File | None = None
) -> Json:
    reply = answered(chat, call)
    keyboard = checked_keyboard(call.json("reply_markup"))
    if keyboard and "inline_keyboard" in keyboard:
        content["reply_markup"] = keyboard
    content |= _thread(chat, call)
    return telegram.write(chat, telegram.bot, content, file, reply).json


def _thread(chat: Chat, call: Call) -> Json:
    """The forum topic in which a call writes."""
    number = call.number_of("message_thread_id", 0)
    if not number:
        return {}
    names = ("message_thread_id", "is_topic_message")
    for message in chat.messages.values():
        if message.content.get("message_thread_id") == number:
            return {name: message.content[name] for name in names if name in message.content}
    raise bad_request("message thread not found")


METHODS: dict[str, Callable[[Telegram, Call], object]] = {
    "sendMessage": send_message,
    "sendPhoto": send_photo,
    "sendDocument": send_document,
    "sendMediaGroup": send_media_group,
    "sendChatAction": send_chat_action,
    "setMessageReaction": set_message_reaction,
}
