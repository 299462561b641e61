"""What a bot can ask, and what it is refused, by python-telegram-bot's own client."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest
from PIL import Image
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    InputMediaPhoto,
    ReplyParameters,
)
from telegram.error import (
    InvalidToken,
    NetworkError,
    RetryAfter,
    TimedOut,
)

from tests import pictures
from tests.bot.telegram import TOKEN, Person, Telegram
from tests.bot.telegram.kit import BUTTON, JPEG, refused

pytestmark = pytest.mark.anyio


async def test_a_photo_is_re_encoded_and_a_file_is_not(bot: Bot, ada: Person) -> None:
    big = pictures.encoded(pictures.photo(2000, 1000), "JPEG")
    photo, file = await ada.sends_photo(big, "Look"), await ada.sends_file(big, "a.jpg")
    got = [update.message for update in await bot.get_updates() if update.message]
    assert [message.message_id for message in got] == [1, photo.id, file.id]
    assert (got[1].caption, [size.width for size in got[1].photo]) == ("Look", [90, 320, 800, 1280])
    downloaded = await (await bot.get_file(got[1].photo[-1].file_id)).download_as_bytearray()
    assert bytes(downloaded) == photo.data != big
    assert got[2].document is not None and got[2].document.mime_type == "image/jpeg"
    downloaded = await (await bot.get_file(got[2].document.file_id)).download_as_bytearray()
    assert bytes(downloaded) == big


async def test_a_forward_is_the_same_file(bot: Bot, ada: Person) -> None:
    sent = await ada.sends_photo(JPEG)
    await Person(ada.telegram, "Bob").forwards(sent)
    first, second = [u.message for u in await bot.get_updates() if u.message and u.message.photo]
    assert first.photo[-1].file_unique_id == second.photo[-1].file_unique_id
    assert first.photo[-1].file_id != second.photo[-1].file_id
    assert second.forward_origin is not None and second.forward_origin.type == "user"


async def test_a_file_above_20_megabytes_cannot_be_got(bot: Bot, ada: Person) -> None:
    sent = await ada.sends_file(JPEG + bytes(21_000_000))
    assert sent.file is not None
    with refused("file is too big"):
        await bot.get_file(sent.file.id)
    with refused("wrong file identifier"):
        await bot.get_file("AgACAgIAAxk-none")


async def test_what_the_bot_sends_is_kept(bot: Bot, ada: Person) -> None:
    reply = ReplyParameters(1)
    photo = await bot.send_photo(
        ada.user.id,
        JPEG,
        "<b>Fake</b> &amp; more",
        parse_mode="HTML",
        reply_parameters=reply,
        reply_markup=BUTTON,
    )
    file = await bot.send_document(ada.user.id, JPEG, filename="mask.png")
    again = await bot.send_photo(ada.user.id, photo.photo[-1].file_id)
    album = [InputMediaPhoto(JPEG, "One"), InputMediaPhoto(JPEG)]
    group = await bot.send_media_group(ada.user.id, album)
    answers = await ada.answers(5)
    assert [answer.id for answer in answers] == [
        *(message.message_id for message in (photo, file, again, *group))
    ]
    assert answers[0].text == "Fake & more" and answers[0].data == JPEG
    assert answers[0].content["caption_entities"][0]["type"] == "bold"
    assert answers[0].reply_to is not None and answers[0].reply_to.id == 1
    assert photo.reply_to_message is not None and photo.reply_to_message.text == "/start"
    assert answers[1].content["document"]["file_name"] == "mask.png"
    assert answers[2].data == JPEG and answers[3].text == "One"
    assert not ada.unread and not ada.telegram.refusals()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "text is empty"),
        ("x" * 4097, "message is too long"),
        ("😀" * 2049, "message is too long"),
        ("<b>x", "can't parse entities: Can't find end tag"),
        ("a < b", "can't parse entities: Unsupported start tag"),
        ("<h1>x</h1>", "Unsupported start tag"),
        ("<b><i>x</b></i>", "Unmatched end tag"),
    ],
)
async def test_texts_that_are_refused(bot: Bot, ada: Person, text: str, why: str) -> None:
    with refused(why):
        await bot.send_message(ada.user.id, text, "HTML")
    assert len(ada.telegram.refusals()) == 1


async def test_captions_are_counted_as_telegram_does(bot: Bot, ada: Person) -> None:
    for caption in ("x" * 1024, "😀" * 512, f"<b>{'x' * 1024}</b>", "&lt;" * 1024):
        await bot.send_photo(ada.user.id, JPEG, caption, parse_mode="HTML")
    for caption in ("x" * 1025, "😀" * 513):
        with refused("caption is too long"):
            await bot.send_photo(ada.user.id, JPEG, caption)


@pytest.mark.parametrize(
    ("button", "why"),
    [
        (InlineKeyboardButton("x", callback_data="é" * 33), "BUTTON_DATA_INVALID"),
        (InlineKeyboardButton(" ", callback_data="x"), "must be non-empty"),
        (InlineKeyboardButton("x", url="http://localhost:8080/c/1"), "Wrong HTTP URL"),
    ],
)
async def test_buttons_that_are_refused(
    bot: Bot, ada: Person, button: InlineKeyboardButton, why: str
) -> None:
    with refused(why):
        await bot.send_message(ada.user.id, "x", reply_markup=InlineKeyboardMarkup([[button]]))


async def test_what_else_is_refused(bot: Bot, ada: Person) -> None:
    here = ada.user.id
    wide = pictures.encoded(Image.new("RGB", (2100, 100)), "PNG")
    album: list[InputMediaPhoto | InputMediaDocument]
    album = [InputMediaPhoto(JPEG), InputMediaDocument(JPEG)]
    cases = {
        "message to be replied not found": bot.send_message(here, "x", reply_to_message_id=77),
        "chat not found": bot.send_message(12345, "x"),
        "IMAGE_PROCESS_FAILED": bot.send_photo(here, b"not a picture"),
        "PHOTO_INVALID_DIMENSIONS": bot.send_photo(here, wide),
        "file is too big": bot.send_photo(here, JPEG + bytes(11_000_000)),
        "2 to 10 media": bot.send_media_group(here, album[:1]),
        "can't be mixed": bot.send_media_group(here, album),
        "wrong parameter action": bot.send_chat_action(here, "thinking"),
        "REACTION_INVALID": bot.set_message_reaction(here, 1, "🔍"),
        "message to react not found": bot.set_message_reaction(here, 99, "👀"),
        "message can't be edited": bot.edit_message_text("x", here, 1),
        "message to edit not found": bot.edit_message_text("x", here, 99),
        "message to delete not found": bot.delete_message(here, 99),
        "query is too old": bot.answer_callback_query("1"),
        "BOT_COMMAND_INVALID": bot.set_my_commands([BotCommand("Start", "x")]),
        "secret token contains": bot.set_webhook("http://127.0.0.1:1/", secret_token="a b"),
        "HTTPS URL must": bot.set_webhook("http://unmask.example.org/"),
    }
    for why, call in cases.items():
        with refused(why):
            await call
    assert len(ada.telegram.refusals()) == len(cases)
    allowed = ReplyParameters(77, allow_sending_without_reply=True)
    assert (await bot.send_message(here, "x", reply_parameters=allowed)).reply_to_message is None
    await bot.set_message_reaction(here, 1, "👀")
    assert ada.chat.messages[1].reactions == ["👀"]


async def test_who_may_not_be_written_to(bot: Bot, ada: Person) -> None:
    stranger = Person(ada.telegram, "Bob")
    with refused("can't initiate"):
        await bot.send_message(stranger.user.id, "x")
    ada.blocks()
    with refused("blocked by the user"):
        await bot.send_message(ada.user.id, "x")
    with pytest.raises(InvalidToken):
        async with Bot("1:wrong", base_url=ada.telegram.base_url):
            pass


async def test_edits(bot: Bot, ada: Person) -> None:
    text = await bot.send_message(ada.user.id, "one", reply_markup=BUTTON)
    await text.edit_text("two", reply_markup=BUTTON)
    with refused("message is not modified"):
        await text.edit_text("two", reply_markup=BUTTON)
    with refused("no caption in the message"):
        await text.edit_caption("three")
    await text.edit_media(InputMediaPhoto(JPEG, "four"), reply_markup=BUTTON)
    (answer,) = await ada.answers(1)
    assert (answer.kind, answer.text, answer.data) == ("photo", "four", JPEG)
    with refused("no text in the message"):
        await text.edit_text("five")
    await text.edit_reply_markup(None)
    assert not answer.buttons and answer.text == "four"
    await text.delete()
    assert answer.deleted and not ada.written


async def test_faults(bot: Bot, ada: Person) -> None:
    telegram, here = ada.telegram, ada.user.id
    telegram.faults.add("sendMessage", "retry_after", 3)
    with pytest.raises(RetryAfter) as caught:
        await bot.send_message(here, "x")
    assert int(caught.value.retry_after) == 3  # type: ignore[arg-type]
    telegram.faults.add("sendMessage", "status", 502)
    telegram.faults.add("sendMessage", "drop_before")
    for _ in range(2):
        with pytest.raises(NetworkError):
            await bot.send_message(here, "x")
    assert not ada.written
    telegram.faults.add("sendMessage", "drop_after")
    with pytest.raises(NetworkError):
        await bot.send_message(here, "x")
    assert len(ada.written) == 1
    hold = telegram.faults.add("sendMessage", "hold", when=lambda call: call.text("text") == "y")
    waiting = asyncio.create_task(bot.send_message(here, "y"))
    await telegram.until(lambda: hold.met)
    await bot.send_message(here, "z")
    hold.released.set()
    await waiting
    assert [answer.text for answer in await ada.answers(3)] == ["x", "z", "y"]
    hold = telegram.faults.add("sendMessage", "hold")
    with pytest.raises(TimedOut):
        await bot.send_message(here, "who asks is gone", read_timeout=0.1)
    hold.released.set()
    await telegram.until(lambda: telegram.calls[-1].done)
    assert not ada.unread and not telegram.refusals()


async def test_downloads_meet_faults(bot: Bot, ada: Person) -> None:
    sent = await ada.sends_file(JPEG)
    assert sent.file is not None
    file = await bot.get_file(sent.file.id)
    for kind in ("drop_before", "drop_after"):
        ada.telegram.faults.add("file", kind)
        with pytest.raises(NetworkError):
            await file.download_as_bytearray()
    ada.telegram.faults.add("file", "slow", 0.05)
    assert bytes(await file.download_as_bytearray()) == JPEG


async def test_commands_are_kept_by_scope_and_language(bot: Bot, telegram: Telegram) -> None:
    await bot.set_my_commands([BotCommand("start", "Begin")])
    await bot.set_my_commands([BotCommand("start", "Empezar")], language_code="es")
    assert (await bot.get_my_commands())[0].description == "Begin"
    assert (await bot.get_my_commands(language_code="es"))[0].description == "Empezar"
    async with aiohttp.ClientSession() as session:
        answer = await session.post(f"{telegram.base_url}{TOKEN}/noSuchMethod")
        assert (answer.status, (await answer.json())["ok"]) == (404, False)
