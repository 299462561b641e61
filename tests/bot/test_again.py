"""A picture that was examined before comes back without another run of the model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.bot.bot_process import QueueProbe
from tests.bot.image_asserts import Pixels, ReferenceDetector, as_file, genuine, smoothed, tampered
from tests.bot.telegram import Person, Telegram

pytestmark = pytest.mark.anyio


async def test_the_same_bytes(
    ada: Person,
    new_person: Callable[..., Person],
    queue: QueueProbe,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    data = as_file(tampered(portrait))
    await ada.sends_file(data)
    first = await ada.answer()
    examined = queue.examined
    await ada.sends_file(data)
    again = await ada.answer()
    assert f"examined here on {datetime.now(UTC):%Y-}" in again.text
    detector.check_annotated(again.data, data)
    bob = new_person("Bob")
    await bob.sends_file(data)
    other = await bob.answer()
    detector.check_annotated(other.data, data)
    assert "examined here" not in other.text, "nobody learns what others sent"
    assert other.button("Full report")["url"] != first.button("Full report")["url"]
    assert queue.examined == examined


async def test_the_same_file_of_telegram_is_not_even_downloaded(
    ada: Person,
    new_person: Callable[..., Person],
    telegram: Telegram,
    queue: QueueProbe,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    sent = await ada.sends_photo(as_file(tampered(portrait)))
    await ada.answer()
    examined, downloads = queue.examined, len(telegram.called("file"))
    bob = new_person("Bob")
    await bob.forwards(sent)
    detector.check_annotated((await bob.answer()).data, sent.data)
    assert (queue.examined, len(telegram.called("file"))) == (examined, downloads)


@pytest.mark.parametrize("change", ["quality", "size", "format"])
async def test_a_near_duplicate(
    ada: Person, queue: QueueProbe, detector: ReferenceDetector, portrait: Pixels, change: str
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
    await queue.until_idle()
    examined = queue.examined
    await ada.sends_file(again)
    answer = await ada.answer()
    assert "looks like one that was examined here on" in answer.text
    detector.check_annotated(answer.data, first)
    assert queue.examined == examined
    await ada.presses(answer, "Examine again")
    answer_again = await ada.answer()
    detector.check_annotated(answer_again.data, again)
    assert queue.examined == examined + 1 and "looks like" not in answer_again.text


async def test_the_caption_of_a_near_duplicate_is_about_the_file_that_was_sent(
    ada: Person, queue: QueueProbe, portrait: Pixels
) -> None:
    """The number of frames is that of the file that was sent, not of the earlier one. The other
    frames show nothing, so it is a copy of the still."""
    pixels, moving = genuine(portrait), BytesIO()
    others = [Image.new("L", (512, 512), grey) for grey in (0, 90)]
    still = Image.fromarray(pixels)
    still.save(moving, "WEBP", save_all=True, append_images=others, quality=90)
    frames = "3 frames"
    await ada.sends_file(as_file(pixels))
    assert frames not in (await ada.answer()).text
    await ada.sends_file(moving.getvalue())
    answer = await ada.answer()
    assert "looks like one" in answer.text and frames in answer.text
    await ada.presses(answer, "Examine again")
    assert frames in (await ada.answer()).text
    await ada.sends_file(as_file(pixels, quality=60))
    again = await ada.answer()
    assert "looks like one" in again.text and frames not in again.text


async def test_a_preview_that_is_examined_again_is_still_a_preview(
    ada: Person, queue: QueueProbe, portrait: Pixels
) -> None:
    pixels = genuine(portrait)
    await ada.sends_sticker(as_file(pixels, "WEBP"), animated=True)
    await ada.answer()
    await ada.sends_sticker(as_file(pixels, "WEBP", quality=60), animated=True)
    answer = await ada.answer()
    assert "looks like one" in answer.text and "small preview" in answer.text
    await ada.presses(answer, "Examine again")
    again = await ada.answer()
    assert "looks like" not in again.text and "small preview" in again.text


async def test_another_face_in_the_same_picture_is_no_duplicate(
    ada: Person, queue: QueueProbe, detector: ReferenceDetector, portrait: Pixels
) -> None:
    """The face, which matters most, is a small part of the picture."""
    pixels = genuine(portrait)
    for one in (pixels, smoothed(pixels), _mouth_moved(pixels)):
        examined = queue.examined
        await ada.sends_file(as_file(one))
        answer = await ada.answer()
        detector.check_annotated(answer.data, as_file(one))
        assert queue.examined == examined + 1 and "looks like" not in answer.text


def _mouth_moved(pixels: Pixels) -> Pixels:
    moved = np.array(pixels)
    moved[138:160, 200:250] = pixels[138:160, 200:250][:, ::-1]
    return moved


async def test_near_duplicates_of_other_chats_are_not_mentioned(
    ada: Person, new_person: Callable[..., Person], queue: QueueProbe, portrait: Pixels
) -> None:
    pixels = tampered(portrait)
    await ada.sends_file(as_file(pixels))
    await ada.answer()
    bob = new_person("Bob")
    examined = queue.examined
    await bob.sends_file(as_file(pixels, quality=50))
    assert "looks like" not in (await bob.answer()).text
    assert queue.examined == examined + 1


async def test_many_ask_for_the_same_at_once(
    new_person: Callable[..., Person],
    queue: QueueProbe,
    detector: ReferenceDetector,
    portrait: Pixels,
) -> None:
    data = as_file(tampered(portrait))
    people = [new_person(f"Person {number}") for number in range(12)]
    examined = queue.examined
    for person in people:
        await person.sends_file(data)
    for person in people:
        answer = await person.answer()
    detector.check_annotated(answer.data, data)
    assert queue.examined == examined + 1
