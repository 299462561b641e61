"""How a message is read: what it holds, and whether it calls the bot."""

from __future__ import annotations

from typing import Any

import pytest
from telegram import Message

from bot.media import Inbound, bounded_name, read_message
from bot.replies.refusals import Refused
from bot.state.reply_queue import Item, Kind, Note, SentPicture

CHAT = {"id": -5, "type": "group", "title": "Desk"}
BOT = {"id": 7, "is_bot": True, "first_name": "Unmask"}
ADA = {"id": 8, "is_bot": False, "first_name": "Ada"}
CHECK = {"text": "/check", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}


def message(**fields: Any) -> Message:
    parsed = Message.de_json({"message_id": 9, "date": 1_700_000_000, "chat": CHAT} | fields)
    assert parsed is not None
    return parsed


def replied_to(**fields: Any) -> dict[str, Any]:
    """A message that another one replies to."""
    earlier = {"message_id": 3, "date": 1_700_000_000, "chat": CHAT, "from": ADA}
    return {"reply_to_message": earlier | fields}


def read(**fields: Any) -> Inbound:
    return read_message(message(**fields), "unmask_bot", 7)


def picture(**fields: Any) -> SentPicture:
    (sent,) = read(**fields).pictures
    return sent


def file(name: str, **fields: Any) -> dict[str, Any]:
    return {"file_id": name, "file_unique_id": f"u-{name}", "file_size": 5} | fields


def size(name: str, width: int) -> dict[str, Any]:
    return file(name, width=width, height=width)


PHOTO = {"photo": [size("s", 90), size("l", 1280), size("m", 320)]}


def text_with(text: str, *entities: tuple[str, str]) -> dict[str, Any]:
    """A text with ``entities`` (kind, part of the text)."""
    marked = [
        {"type": kind, "offset": text.index(part), "length": len(part)} for kind, part in entities
    ]
    return {"text": text, "entities": marked}


def test_of_a_photo_the_largest_size_is_taken() -> None:
    sent = picture(**PHOTO)
    assert (sent.file, sent.unique, sent.kind, sent.size) == ("l", "u-l", Kind.PHOTO, 5)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"document": file("d", mime_type="image/png")}, Kind.FILE),
        ({"document": file("d", file_name="SCAN.TIFF")}, Kind.FILE),
        (
            {"document": file("d", mime_type="application/octet-stream", file_name="a.heic")},
            Kind.FILE,
        ),
        ({"document": file("d")}, Kind.FILE),
        ({"document": file("d", mime_type="video/mp4")}, Kind.FILE),
        ({"document": file("d", mime_type="application/pdf", file_name="a.pdf")}, Kind.FILE),
        ({"document": file("d", mime_type="video/mp4", file_size=90_000_000)}, Refused.VIDEO),
        ({"document": file("d", mime_type="audio/ogg", file_size=90_000_000)}, Refused.SOUND),
        ({"document": file("d", file_size=90_000_000)}, Kind.FILE),
        ({"story": {"chat": CHAT, "id": 4}}, Refused.STORY),
        ({"video": file("v", width=9, height=9, duration=1)}, Refused.VIDEO),
        ({"video_note": file("v", length=9, duration=1)}, Refused.VIDEO),
        ({"voice": file("v", duration=1)}, Refused.SOUND),
        ({"audio": file("v", duration=1)}, Refused.SOUND),
        ({"text": "hello"}, None),
    ],
)
def test_what_is_a_picture(fields: dict[str, Any], kind: Kind | Refused | None) -> None:
    inbound = read(**fields)
    kinds = [sent.kind for sent in inbound.pictures]
    expected = [kind] if isinstance(kind, Kind) else []
    assert kinds == expected
    assert inbound.refusals == ((kind,) if isinstance(kind, Refused) else ())


@pytest.mark.parametrize(
    "name", ["download.jfif", "scan.jpe", "DSC00017.HIF", "a.mpo", "photo.jpg_large", "IMG_2041"]
)
def test_the_name_of_a_file_does_not_count(name: str) -> None:
    sent = picture(document=file("d", file_name=name, mime_type="application/octet-stream"))
    assert (sent.kind, sent.file) == (Kind.FILE, "d")


def paid(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"paid_media": {"star_count": 5, "paid_media": list(parts)}}


def test_of_paid_media_the_photos_are_taken() -> None:
    video = {"type": "video", "video": file("v", width=9, height=9, duration=1)}
    hidden = {"type": "preview", "width": 9, "height": 9}
    inbound = read(**paid(video, {"type": "photo"} | PHOTO, hidden, {"type": "photo"} | PHOTO))
    assert [(sent.file, sent.number) for sent in inbound.pictures] == [("l", 1), ("l", 3)]
    assert inbound.refusals == (Refused.VIDEO, Refused.LOCKED)


def test_of_a_live_photo_the_still_is_taken() -> None:
    clip = file("v", width=9, height=9, duration=1)
    sent = picture(live_photo=clip | PHOTO, **PHOTO)
    assert (sent.file, sent.kind, sent.has_video) == ("l", Kind.PHOTO, True)
    assert Item(sent=sent).notes == [Note.STILL]
    sent = picture(live_photo=clip)
    assert (sent.file, sent.kind, sent.has_video) == ("v", Kind.CLIP, False)
    inbound = read(**paid({"type": "live_photo", "live_photo": clip | PHOTO}))
    assert [sent.file for sent in inbound.pictures] == ["l"]


def test_a_gif_is_a_clip_though_it_comes_as_a_document_too() -> None:
    clip = file("g", width=9, height=9, duration=1, thumbnail=size("t", 90))
    sent = picture(animation=clip, document=file("g", mime_type="video/mp4"))
    assert (sent.kind, sent.file, sent.thumbnail) == (Kind.CLIP, "g", "t")


@pytest.mark.parametrize(
    ("animated", "video", "kind", "name", "is_preview"),
    [
        (False, False, Kind.STICKER, "s", False),
        (True, False, Kind.STICKER, "t", True),
        (False, True, Kind.CLIP, "s", False),
    ],
)
def test_stickers(animated: bool, video: bool, kind: Kind, name: str, is_preview: bool) -> None:
    form = {"is_animated": animated, "is_video": video, "type": "regular", "width": 9, "height": 9}
    sent = picture(sticker=file("s", **form, thumbnail=size("t", 90)))
    assert (sent.kind, sent.file, sent.is_preview) == (kind, name, is_preview)


def test_urls() -> None:
    text = "example.org/a.jpg and https://b.org/c.png, mailto:x@y.z, https://b.org/c.png"
    parts = [("url", "example.org/a.jpg"), ("url", "https://b.org/c.png"), ("url", "mailto:x@y.z")]
    urls = read(**text_with(text, *parts)).urls
    assert urls[:2] == ("https://example.org/a.jpg", "https://b.org/c.png")
    linked = {"type": "text_link", "offset": 0, "length": 4, "url": "http://d.org/e.jpg"}
    assert read(text="here", entities=[linked]).urls == ("http://d.org/e.jpg",)
    assert read(text="https://unmarked.org").urls == ()


@pytest.mark.parametrize(
    ("text", "kind", "part", "addressed"),
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
def test_whether_a_text_calls_the_bot(text: str, kind: str, part: str, addressed: bool) -> None:
    assert read(**text_with(text, (kind, part))).addressed is addressed


def test_a_caption_may_call_the_bot() -> None:
    entities = [{"type": "mention", "offset": 3, "length": 11}]
    assert read(**PHOTO, caption="hi @unmask_bot", caption_entities=entities).addressed
    named = [{"type": "text_mention", "offset": 0, "length": 3, "user": BOT}]
    assert read(text="you", entities=named).addressed


def test_a_call_in_a_reply_is_about_the_message_that_it_replies_to() -> None:
    inbound = read(**CHECK, **replied_to(**PHOTO))
    assert inbound.message == 3 and inbound.pictures[0].message == 3
    inbound = read(**CHECK, **replied_to(**text_with("https://b.org", ("url", "https://b.org"))))
    assert (inbound.message, inbound.urls) == (3, ("https://b.org",))
    assert read(text="nice", **replied_to(**PHOTO)).pictures == (), "it does not call the bot"


def in_private(**fields: Any) -> Inbound:
    return read(chat={"id": 8, "type": "private", "first_name": "Ada"}, **fields)


def test_in_a_private_chat_a_question_is_about_the_message_that_it_replies_to() -> None:
    inbound = in_private(text="is this real?", **replied_to(**PHOTO))
    assert (inbound.message, [sent.file for sent in inbound.pictures]) == (3, ["l"])
    link = text_with("https://b.org", ("url", "https://b.org"))
    assert in_private(text="and this?", **replied_to(**link)).urls == ("https://b.org",)
    assert in_private(**link, **replied_to(**PHOTO)).pictures == (), "it has something of its own"
    origin = {"type": "hidden_user", "sender_user_name": "Bob", "date": 1_700_000_000}
    inbound = in_private(text="and this?", external_reply={"origin": origin} | PHOTO)
    assert (inbound.message, [sent.file for sent in inbound.pictures]) == (9, ["l"])
    inbound = in_private(text="and this?", **replied_to(text="hello"))
    assert (inbound.message, inbound.pictures, inbound.refusals) == (9, (), ())


def test_what_telegram_does_not_hand_over_is_said_in_a_reply_to_it_too() -> None:
    story = {"chat": CHAT, "id": 4}
    assert in_private(text="real?", reply_to_story=story).refusals == (Refused.STORY,)
    assert in_private(text="real?", **replied_to(story=story)).refusals == (Refused.STORY,)
    assert read(**CHECK, **replied_to(story=story)).refusals == (Refused.STORY,)
    assert read(text="real?", **replied_to(story=story)).refusals == ()


def test_a_call_with_something_of_its_own_is_about_that() -> None:
    caption = {"caption": CHECK["text"], "caption_entities": CHECK["entities"]}
    inbound = read(**PHOTO, **caption, **replied_to(document=file("d", mime_type="image/png")))
    assert inbound.message == 9 and inbound.pictures[0].kind is Kind.PHOTO
    text = text_with("/check b.org/a.jpg", ("bot_command", "/check"), ("url", "b.org/a.jpg"))
    inbound = read(**text, **replied_to(**PHOTO))
    assert (inbound.message, inbound.pictures, inbound.urls) == (9, (), ("https://b.org/a.jpg",))


def test_the_bots_own_replies_are_not_examined() -> None:
    own = replied_to(**PHOTO, **{"from": BOT})
    assert read(**CHECK, **own).refusals == (Refused.OWN_REPLY,)
    assert in_private(text="sure?", **own).refusals == (Refused.OWN_REPLY,)
    assert in_private(text="thanks", **replied_to(text="a text", **{"from": BOT})).refusals == ()


def test_a_reply_to_another_chat_brings_its_picture_along() -> None:
    origin = {"type": "hidden_user", "sender_user_name": "Bob", "date": 1_700_000_000}
    elsewhere = {"external_reply": {"origin": origin} | PHOTO}
    inbound = read(**CHECK, **elsewhere)
    assert inbound.message == 9 and inbound.pictures[0].message == 9
    assert read(text="hello", **elsewhere).pictures == ()


def test_the_album_of_a_picture() -> None:
    assert read(**PHOTO, media_group_id="13").album == "13"
    assert read(**PHOTO).album == ""
    assert read(**CHECK, **replied_to(**PHOTO, media_group_id="13")).album == "", "one picture"


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
    inbound = read(text="x", forward_origin=origin | {"date": 1_600_000_000})
    assert inbound.origin is not None
    assert inbound.origin.name == name and inbound.origin.date.year == 2020


def test_names_are_of_bounded_length() -> None:
    assert len(bounded_name("x" * 500)) == 60 and bounded_name("\x00\u2066") == ""


def test_a_data_url_is_a_url() -> None:
    url = "data:image/jpeg;base64,/9j/4AAQSkZJRg=="
    assert read(text=url).urls == (url,)
    assert read(text=f"look: {url}").urls == ()
