"""The methods about the bot itself, its chats, files and presses of its buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.bot.telegram.answers import Json, bad_request
from tests.bot.telegram.limits import (
    MAX_CALLBACK_ANSWER,
    MAX_DOWNLOAD,
    checked_commands,
    units,
)
from tests.bot.telegram.requests import Call

if TYPE_CHECKING:
    from tests.bot.telegram.server import Telegram

_ADMINS = ("administrator", "creator")
_RIGHTS = [
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages"),
    *("can_manage_video_chats", "can_restrict_members", "can_promote_members", "can_change_info"),
    *("can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories"),
]


def get_me(telegram: Telegram, call: Call) -> Json:
    return telegram.bot.json | {
        "can_join_groups": True,
        "can_read_all_group_messages": not telegram.privacy,
        "supports_inline_queries": False,
    }


def get_webhook_info(telegram: Telegram, call: Call) -> Json:
    return telegram.updates.webhook_info()


def get_file(telegram: Telegram, call: Call) -> Json:
    file = telegram.files.by_id(call.text("file_id"))
    if len(file.data) > MAX_DOWNLOAD:
        raise bad_request("file is too big")
    fields = {"file_id": file.id, "file_unique_id": file.unique_id, "file_size": len(file.data)}
    return fields | {"file_path": file.path}


def answer_callback_query(telegram: Telegram, call: Call) -> bool:
    press = telegram.presses.get(call.text("callback_query_id"))
    if press is None or press.answered or press.expired:
        why = "query is too old and response timeout expired or query ID is invalid"
        raise bad_request(why)
    if units(call.text("text")) > MAX_CALLBACK_ANSWER:
        raise bad_request("MESSAGE_TOO_LONG")
    press.answered = True
    press.text, press.alert, press.url = (
        call.text("text"),
        call.flag("show_alert"),
        call.text("url"),
    )
    return True


def set_my_commands(telegram: Telegram, call: Call) -> bool:
    key = _scope(call)
    telegram.commands[key] = checked_commands(call.json("commands", []))
    return True


def get_my_commands(telegram: Telegram, call: Call) -> list[Json]:
    return telegram.commands.get(_scope(call), [])


def delete_my_commands(telegram: Telegram, call: Call) -> bool:
    telegram.commands.pop(_scope(call), None)
    return True


def set_my_words(telegram: Telegram, call: Call) -> bool:
    """setMyName, setMyDescription and setMyShortDescription."""
    limits = {"name": 64, "description": 512, "short_description": 120}
    for name, limit in limits.items():
        if units(call.text(name)) > limit:
            raise bad_request(f"{name} is too long")
    return True


def get_chat(telegram: Telegram, call: Call) -> Json:
    chat = telegram.chat_of(call)
    linked = {"linked_chat_id": chat.linked.id} if chat.linked else {}
    fields = {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": {}}
    return chat.json | linked | fields


def get_chat_member(telegram: Telegram, call: Call) -> Json:
    chat = telegram.chat_of(call)
    user = telegram.users.get(call.number_of("user_id"))
    if user is None:
        raise bad_request("invalid user_id specified")
    return _member(user.json, chat.status.get(user.id, "left"))


def get_chat_administrators(telegram: Telegram, call: Call) -> list[Json]:
    chat = telegram.chat_of(call)
    if chat.kind == "private":
        raise bad_request("there are no administrators in the private chat")
    return [
        _member(telegram.users[number].json, status)
        for number, status in chat.status.items()
        if status in _ADMINS
    ]


def get_chat_member_count(telegram: Telegram, call: Call) -> int:
    return len(telegram.chat_of(call).status)


def leave_chat(telegram: Telegram, call: Call) -> bool:
    telegram.chat_of(call).status[telegram.bot.id] = "left"
    return True


def yes(telegram: Telegram, call: Call) -> bool:
    return True


def _member(user: Json, status: str) -> Json:
    rights = {"administrator": _RIGHTS, "creator": ["is_anonymous"]}.get(status, [])
    ends = {"until_date": 0} if status == "kicked" else {}
    return {"user": user, "status": status} | dict.fromkeys(rights, False) | ends


def _scope(call: Call) -> tuple[str, str]:
    scope = call.json("scope") or {"type": "default"}
    where = ":".join(str(value) for value in scope.values())
    return where, call.text("language_code")


METHODS: dict[str, Callable[[Telegram, Call], object]] = {
    "getMe": get_me,
    "getWebhookInfo": get_webhook_info,
    "getFile": get_file,
    "answerCallbackQuery": answer_callback_query,
    "setMyCommands": set_my_commands,
    "getMyCommands": get_my_commands,
    "deleteMyCommands": delete_my_commands,
    "setMyName": set_my_words,
    "setMyDescription": set_my_words,
    "setMyShortDescription": set_my_words,
    "getChat": get_chat,
    "getChatMember": get_chat_member,
    "getChatAdministrators": get_chat_administrators,
    "getChatMemberCount": get_chat_member_count,
    "leaveChat": leave_chat,
    "setChatMenuButton": yes,
    "setMyDefaultAdministratorRights": yes,
}
