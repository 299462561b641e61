"""What a message holds, and whether it asks the bot."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Message

from bot.media import Refused, is_addressed, origin_of, picture_in, shown_name, urls_in
from bot.state.reply_queue import Kind, Note

CHAT = {"id": -5, "type": "group", "title": "Desk"}
BOT = {"id": 7, "is_bot": True, "first_name": "Unmask"}


def message(**about: Any) -> Message:
    made = Message.de_json({"message_id": 9, "date": 1_700_000_000, "chat": CHAT} | about)
    assert made is not None
    return made


def file(name: str, **about: Any) -> dict[str, Any]:
    return {"file_id": name, "file_unique_id": f"u-{name}", "file_size": 5} | about


def size(name: str, width: int) -> dict[str, Any]:
    return file(name, width=width, height=width)


def said(text: str, *entities: tuple[str, str], **about: Any) -> Message:
    """A message whose words ``entities`` (kind, part of the text) are marked."""
    marked = [
        {"type": kind, "offset": text.index(part), "length": len(part)} for kind, part in entities
    ]
    return message(text=text, entities=marked, **about)


def test_of_a_photo_the_largest_size_is_taken() -> None:
    found = picture_in(message(photo=[size("s", 90), size("l", 1280), size("m", 320)]), 9)
    assert found is not None and not isinstance(found, Refused)
    assert (found.file, found.unique, found.kind, found.size) == ("l", "u-l", Kind.PHOTO, 5)


@pytest.mark.parametrize(
    ("about", "kind"),
    [
        ({"document": file("d", mime_type="image/png")}, Kind.FILE),
        ({"document": file("d", file_name="SCAN.TIFF")}, Kind.FILE),
        (
            {"document": file("d", mime_type="application/octet-stream", file_name="a.heic")},
            Kind.FILE,
        ),
        ({"document": file("d", mime_type="video/mp4")}, Refused.VIDEO),
        ({"document": file("d", mime_type="audio/ogg")}, Refused.SOUND),
        ({"document": file("d", mime_type="application/pdf")}, Refused.DOCUMENT),
        ({"video": file("v", width=9, height=9, duration=1)}, Refused.VIDEO),
        ({"video_note": file("v", length=9, duration=1)}, Refused.VIDEO),
        ({"voice": file("v", duration=1)}, Refused.SOUND),
        ({"audio": file("v", duration=1)}, Refused.SOUND),
        ({"text": "hello"}, None),
    ],
)
def test_what_is_a_picture(about: dict[str, Any], kind: Kind | Refused | None) -> None:
    found = picture_in(message(**about), 9)
    assert getattr(found, "kind", found) == kind


def test_a_gif_is_a_clip_though_it_comes_as_a_document_too() -> None:
    clip = file("g", width=9, height=9, duration=1, thumbnail=size("t", 90))
    found = picture_in(message(animation=clip, document=file("g", mime_type="video/mp4")), 9)
    assert found is not None and not isinstance(found, Refused)
    assert (found.kind, found.file, found.thumbnail) == (Kind.CLIP, "g", "t")


@pytest.mark.parametrize(
    ("animated", "video", "kind", "name", "notes"),
    [
        (False, False, Kind.STICKER, "s", []),
        (True, False, Kind.STICKER, "t", [Note.THUMBNAIL]),
        (False, True, Kind.CLIP, "s", []),
    ],
)
def test_stickers(animated: bool, video: bool, kind: Kind, name: str, notes: list[Note]) -> None:
    about = {"is_animated": animated, "is_video": video, "type": "regular", "width": 9, "height": 9}
    found = picture_in(message(sticker=file("s", **about, thumbnail=size("t", 90))), 9)
    assert found is not None and not isinstance(found, Refused)
    assert (found.kind, found.file, found.notes) == (kind, name, notes)


def test_urls() -> None:
    text = "example.org/a.jpg and https://b.org/c.png, mailto:x@y.z, https://b.org/c.png"
    parts = [("url", "example.org/a.jpg"), ("url", "https://b.org/c.png"), ("url", "mailto:x@y.z")]
    assert urls_in(said(text, *parts))[:2] == ["https://example.org/a.jpg", "https://b.org/c.png"]
    linked = {"type": "text_link", "offset": 0, "length": 4, "url": "http://d.org/e.jpg"}
    assert urls_in(message(text="here", entities=[linked])) == ["http://d.org/e.jpg"]
    assert urls_in(message(text="https://unmarked.org")) == []


@pytest.mark.parametrize(
    ("text", "kind", "part", "asked"),
    [
        ("/check", "bot_command", "/check", True),
        ("/check@Unmask_Bot now", "bot_command", "/check@Unmask_Bot", True),
        ("/check@other_bot", "bot_command", "/check@other_bot", False),
        ("/checkers", "bot_command", "/checkers", False),
        ("is it, @unmask_bot?", "mention", "@unmask_bot", True),
        ("is it, @unmask_bots?", "mention", "@unmask_bots", False),
        ("@unmask_bot", "code", "@unmask_bot", False),
    ],
)
def test_who_is_asked(text: str, kind: str, part: str, asked: bool) -> None:
    assert is_addressed(said(text, (kind, part)), "unmask_bot", 7) is asked


def test_a_caption_may_ask() -> None:
    entities = [{"type": "mention", "offset": 3, "length": 11}]
    photo = message(photo=[size("s", 9)], caption="hi @unmask_bot", caption_entities=entities)
    assert is_addressed(photo, "unmask_bot", 7)
    named = [{"type": "text_mention", "offset": 0, "length": 3, "user": BOT}]
    assert is_addressed(message(text="you", entities=named), "unmask_bot", 7)


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ({"type": "user", "sender_user": BOT}, "Unmask"),
        ({"type": "hidden_user", "sender_user_name": "A\u202eB\nC"}, "A B C"),
        ({"type": "chat", "sender_chat": CHAT}, "Desk"),
        ({"type": "channel", "chat": CHAT | {"type": "channel"}, "message_id": 3}, "Desk"),
    ],
)
def test_where_a_forward_comes_from(origin: dict[str, Any], name: str) -> None:
    found = origin_of(message(text="x", forward_origin=origin | {"date": 1_600_000_000}))
    assert found is not None and found.name == name and found.date.year == 2020


def test_names_are_of_bounded_length() -> None:
    assert len(shown_name("x" * 500)) == 60 and shown_name("\x00\u2066") == ""
