"""What the version before stored in Redis, and the keys it used: both are still read."""

from __future__ import annotations

import json
from typing import Any

from bot.state.callback_data import CallbackData
from bot.state.history import Entry
from bot.state.redis_keys import Keys
from bot.state.reply_queue import Item, Kind, Note, Reply, Stage

#: An item, an order and a ticket as the version before wrote them.
ITEM: dict[str, Any] = {
    "kind": "clip",
    "message": 12,
    "number": 0,
    "file": "f",
    "unique": "u",
    "size": 5,
    "thumbnail": "t",
    "url": "",
    "notes": ["first_frame"],
    "check": "c",
    "owner": 4,
    "bits": "00ff",
    "earlier": "2026-11-01T10:00:00Z",
    "alike": True,
    "warnings": ["w"],
    "error": None,
}
ORDER: dict[str, Any] = {
    "id": "1.12",
    "chat": 1,
    "group": False,
    "thread": None,
    "reply_to": 12,
    "asker": 3,
    "language": "de",
    "items": [ITEM],
    "origin": None,
    "skipped": 2,
    "anew": True,
    "created": 5.0,
    "due": 6.0,
    "stage": "shown",
    "starts": 1,
    "twice": True,
    "sent": [7, 8],
}
TICKET: dict[str, Any] = {
    "asker": 3,
    "owner": 4,
    "chat": 1,
    "check": "c",
    "item": ITEM,
    "pages": [],
    "numbers": [],
    "album": "x",
}


def check_item(item: Item) -> None:
    sent, outcome = item.sent, item.outcome
    assert (sent.kind, sent.message, sent.file) == (Kind.CLIP, 12, "f")
    assert (sent.unique, sent.size, sent.thumbnail, sent.is_preview) == ("u", 5, "t", False)
    assert (outcome.check, outcome.owner, outcome.phash) == ("c", 4, "00ff")
    assert outcome.similar and outcome.earlier and outcome.warnings == ("w",)
    assert item.notes == [Note.FIRST_FRAME]


def test_an_owed_reply() -> None:
    reply = Reply.model_validate_json(json.dumps(ORDER))
    check_item(reply.items[0])
    assert (reply.user, reply.ignore_history, reply.may_repeat) == (3, True, True)
    assert (reply.complete_at, reply.stage, reply.message_ids) == (6.0, Stage.SHOWN, [7, 8])
    assert reply.idempotency_key(reply.items[0]) == "telegram:1.12:12:0"
    assert Reply.model_validate_json(reply.model_dump_json()) == reply


def test_the_preview_of_a_sticker() -> None:
    item = Item.model_validate(ITEM | {"kind": "sticker", "notes": ["thumbnail", "shrunk"]})
    assert item.sent.is_preview and item.notes == [Note.THUMBNAIL, Note.SHRUNK]
    assert Item.model_validate_json(item.model_dump_json()) == item


def test_a_button() -> None:
    callback = CallbackData.model_validate_json(json.dumps(TICKET))
    assert (callback.user, callback.owner, callback.album) == (3, 4, "x")
    assert callback.item is not None
    check_item(callback.item)


def test_a_chats_history() -> None:
    entry = {"check": "c", "owner": 4, "sha256": "0", "bits": "00ff", "when": ITEM["earlier"]}
    assert Entry.model_validate_json(json.dumps(entry)).phash == "00ff"


def test_the_keys() -> None:
    keys, prefix = Keys(7), "unmask:bot:7:"
    names = (keys.leader, keys.inbox, keys.replies, keys.blocked, keys.stats)
    assert names == tuple(prefix + name for name in ("beat", "inbox", "orders", "blocked", "stats"))
    assert keys.accepted_update(5) == f"{prefix}seen:5"
    assert (keys.file("u"), keys.history(-5)) == (f"{prefix}file:u", f"{prefix}past:-5")
    assert (keys.callback("t"), keys.user(3)) == (f"{prefix}ticket:t", f"{prefix}person:3")
    assert (keys.owned(3), keys.wait_notice(1)) == (f"{prefix}owned:3", f"{prefix}limits:1")
