"""A picture that was examined before comes back without a run of the model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.bot.bot_process import Work
from tests.bot.image_asserts import Judge, Pixels, as_file, genuine, smoothed, tampered
from tests.bot.telegram import Person, Telegram

pytestmark = pytest.mark.anyio


async def test_the_same_bytes(
    ada: Person, someone: Callable[..., Person], work: Work, judge: Judge, portrait: Pixels
) -> None:
    data = as_file(tampered(portrait))
    await ada.sends_file(data)
    first = await ada.answer()
    examined = work.examined
    await ada.sends_file(data)
    again = await ada.answer()
    assert f"examined here on {datetime.now(UTC):%Y-}" in again.text
    judge.check_annotated(again.data, data)
    bob = someone("Bob")
    await bob.sends_file(data)
    other = await bob.answer()
    judge.check_annotated(other.data, data)
    assert "examined here" not in other.text, "nobody learns what others sent"
    assert other.button("Full report")["url"] != first.button("Full report")["url"]
    assert work.examined == examined


async def test_the_same_file_of_telegram_is_not_even_downloaded(
    ada: Person,
    someone: Callable[..., Person],
    telegram: Telegram,
    work: Work,
    judge: Judge,
    portrait: Pixels,
) -> None:
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await ada.answer()
    examined, downloads = work.examined, len(telegram.called("file"))
    bob = someone("Bob")
    await bob.forwards(sent)
    judge.check_annotated((await bob.answer()).data, sent.data)
    assert (work.examined, len(telegram.called("file"))) == (examined, downloads)


@pytest.mark.parametrize("change", ["quality", "size", "format"])
async def test_a_near_duplicate(
    ada: Person, work: Work, judge: Judge, portrait: Pixels, change: str
) -> None:
    pixels = tampered(portrait)
    first = as_file(pixels)
    again = {
        "quality": lambda: as_file(pixels, quality=50),
        "size": lambda: as_file(np.asarray(Image.fromarray(pixels).resize((300, 300)))),
        "format": lambda: as_file(pixels, "WEBP", quality=70),
    }[change]()
    await ada.sends_file(first)
    await ada.answer()
    await work.until_idle()
    examined = work.examined
    await ada.sends_file(again)
    answer = await ada.answer()
    assert "looks like one that was examined here on" in answer.text
    judge.check_annotated(answer.data, first)
    assert work.examined == examined
    await ada.presses(answer, "Examine anew")
    anew = await ada.answer()
    judge.check_annotated(anew.data, again)
    assert work.examined == examined + 1 and "looks like" not in anew.text


async def test_a_near_duplicate_is_told_of_its_own_file(
    ada: Person, work: Work, portrait: Pixels
) -> None:
    """What is said of the frames is true of the file that was sent, not of the one before."""
    pixels, moving = genuine(portrait), BytesIO()
    others = [Image.new("L", (512, 512), grey) for grey in (0, 90)]
    still = Image.fromarray(pixels)
    still.save(moving, "WEBP", save_all=True, append_images=others, quality=90)
    frames = "first of 3 pictures"
    await ada.sends_file(as_file(pixels))
    assert frames not in (await ada.answer()).text
    await ada.sends_file(moving.getvalue())
    answer = await ada.answer()
    assert "looks like one" in answer.text and frames in answer.text
    await ada.presses(answer, "Examine anew")
    assert frames in (await ada.answer()).text
    await ada.sends_file(as_file(pixels, quality=60))
    again = await ada.answer()
    assert "looks like one" in again.text and frames not in again.text


async def test_a_preview_that_is_examined_anew_is_still_a_preview(
    ada: Person, work: Work, portrait: Pixels
) -> None:
    pixels = genuine(portrait)
    await ada.sends_sticker(as_file(pixels, "WEBP"), animated=True)
    await ada.answer()
    await ada.sends_sticker(as_file(pixels, "WEBP", quality=60), animated=True)
    answer = await ada.answer()
    assert "looks like one" in answer.text and "small preview" in answer.text
    await ada.presses(answer, "Examine anew")
    anew = await ada.answer()
    assert "looks like" not in anew.text and "small preview" in anew.text


async def test_another_face_in_the_same_picture_is_no_duplicate(
    ada: Person, work: Work, judge: Judge, portrait: Pixels
) -> None:
    """What matters most differs in a small place."""
    pixels = genuine(portrait)
    for one in (pixels, smoothed(pixels), _mouth_moved(pixels)):
        examined = work.examined
        await ada.sends_file(as_file(one))
        answer = await ada.answer()
        judge.check_annotated(answer.data, as_file(one))
        assert work.examined == examined + 1 and "looks like" not in answer.text


def _mouth_moved(pixels: Pixels) -> Pixels:
    moved = np.array(pixels)
    moved[138:160, 200:250] = pixels[138:160, 200:250][:, ::-1]
    return moved


async def test_near_duplicates_are_not_told_to_others(
    ada: Person, someone: Callable[..., Person], work: Work, portrait: Pixels
) -> None:
    pixels = tampered(portrait)
    await ada.sends_file(as_file(pixels))
    await ada.answer()
    bob = someone("Bob")
    examined = work.examined
    await bob.sends_file(as_file(pixels, quality=50))
    assert "looks like" not in (await bob.answer()).text
    assert work.examined == examined + 1


async def test_many_ask_for_the_same_at_once(
    someone: Callable[..., Person], work: Work, judge: Judge, portrait: Pixels
) -> None:
    data = as_file(tampered(portrait))
    people = [someone(f"Person {number}") for number in range(12)]
    examined = work.examined
    for person in people:
        await person.sends_file(data)
    for person in people:
        answer = await person.answer()
    judge.check_annotated(answer.data, data)
    assert work.examined == examined + 1
