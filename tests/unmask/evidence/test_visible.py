"""Signs that generators draw: found where they are, and nowhere else."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFont
from skimage.data import astronaut, coffee, rocket

from tests.unmask.evidence.signs import with_colour_bar, with_label, with_star, words
from unmask.evidence.visible.search import find_visible_marks
from unmask.findings import Evidence, Kind, Says, Weight

_Pixels = npt.NDArray[np.uint8]


def saved(pixels: _Pixels, quality: int, width: int | None = None) -> _Pixels:
    image, out = Image.fromarray(pixels), BytesIO()
    if width:
        image = image.resize((width, image.height * width // image.width), Image.Resampling.BOX)
    image.save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out))


def photograph(width: int = 1024) -> _Pixels:
    """A photograph whose lower right corner is as soft as most are."""
    return saved(rocket(), 95, width)


def only_finding(pixels: _Pixels) -> Evidence:
    (finding,) = find_visible_marks(pixels)
    return finding


def test_a_star_is_a_hint_that_google_made_the_picture() -> None:
    finding = only_finding(with_star(photograph(), 48))
    assert (finding.kind, finding.weight, finding.says) == (
        Kind.VISIBLE_MARKS,
        Weight.HINT,
        Says.GENERATED,
    )
    assert finding.code == "visible_mark_generated"
    assert finding.parameters == {"mark": "gemini_star", "maker": "Google"}


@pytest.mark.parametrize("quality", [70, 95])
@pytest.mark.parametrize("opacity", [0.3, 0.5])
@pytest.mark.parametrize("side", [32, 48, 64])
def test_a_star_is_boxed_at_each_size_and_opacity(side: int, opacity: float, quality: int) -> None:
    pixels = with_star(photograph(), side, opacity)
    height, width = pixels.shape[:2]
    box = only_finding(saved(pixels, quality)).where.box
    expected = (width - round(side * 5 / 3), height - round(side * 5 / 3), side, side)
    assert box == pytest.approx(expected, abs=side * 0.1)


def test_a_star_is_seen_on_a_picture_that_was_made_smaller() -> None:
    assert only_finding(saved(with_star(photograph(), 48), 80, 500)).where.box is not None


@pytest.mark.parametrize(
    "pixels",
    [
        with_star(photograph(), 48, opacity=0.05),
        with_star(photograph(), 48, turn=45),
        with_star(photograph(), 48)[::-1].copy(),
        np.roll(with_star(photograph(), 48), -200, axis=1),
        photograph(),
        astronaut(),
        coffee(),
        np.full((600, 800, 3), 255, np.uint8),
        np.zeros((600, 800, 3), np.uint8),
        np.random.default_rng(1).integers(0, 256, (600, 800, 3), dtype=np.uint8),
    ],
)
def test_other_pictures_carry_no_mark(pixels: _Pixels) -> None:
    assert find_visible_marks(pixels) == []


def test_a_round_light_is_no_star() -> None:
    pixels = photograph().astype(np.float32)
    height, width = pixels.shape[:2]
    y, x = np.mgrid[:height, :width]
    spot = np.hypot(x - (width - 56), y - (height - 56)) < 14
    pixels[spot] = pixels[spot] * 0.5 + 127
    assert find_visible_marks(pixels.astype(np.uint8)) == []


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (900, 3, 3), (40, 40, 3)])
def test_pictures_of_any_shape_are_looked_at(shape: tuple[int, int, int]) -> None:
    assert find_visible_marks(np.full(shape, 90, np.uint8)) == []


@pytest.mark.parametrize("quality", [70, 95])
@pytest.mark.parametrize("width", [1024, 400])
def test_a_colour_bar_is_a_hint_that_openai_made_the_picture(width: int, quality: int) -> None:
    finding = only_finding(saved(with_colour_bar(photograph()), quality, width))
    assert finding.parameters == {"mark": "dalle_colour_bar", "maker": "OpenAI"}
    assert finding.where.box is not None
    assert finding.where.box[2:] == (round(width * 5 / 64), round(width / 64))


def test_a_colour_bar_in_another_order_is_none() -> None:
    pixels = with_colour_bar(photograph())
    pixels = np.concatenate([pixels[:, :-80], pixels[:, :-81:-1]], axis=1)
    assert find_visible_marks(pixels) == []


def ground() -> _Pixels:
    """A photograph whose edges are as soft as those that bear a label well."""
    return saved(coffee(), 95, 1024)


def latin(text: str, share: float = 0.05) -> Image.Image:
    """Words in Pillow's own font, which is none of those that the letters were drawn from."""
    font = ImageFont.load_default(share * min(photograph().shape[:2]))
    assert isinstance(font, ImageFont.FreeTypeFont)
    return words(text, font)


def asian(text: str, share: float = 0.05) -> Image.Image:
    """Words in WenQuanYi Micro Hei (Apache License 2.0), drawn once at 96 pixels."""
    with Image.open(Path(__file__).parent / "words" / f"{text}.png") as ink:
        return ink.convert("L").reduce(round(96 / (share * min(photograph().shape[:2]))))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("AI generated", "AI generated"),
        ("AI-Generated", "AI generated"),
        ("AI GENERATED", "AI generated"),
        ("Made with AI", "Made with AI"),
        ("Generated by AI", "Generated by AI"),
        ("KI-generiert", "KI-generiert"),
        ("Mit KI erstellt", "KI-erstellt"),
        ("Generado por IA", "Generado por IA"),
    ],
)
def test_a_label_in_words_is_a_hint(text: str, label: str) -> None:
    finding = only_finding(saved(with_label(ground(), latin(text)), 80))
    assert (finding.code, finding.weight) == ("visible_label_generated", Weight.HINT)
    assert finding.says is Says.GENERATED
    assert finding.parameters == {"mark": "label", "label": label}


@pytest.mark.parametrize("text", ["AI生成", "由AI生成", "人工智能生成", "AI 생성"])
@pytest.mark.parametrize("share", [0.05, 0.07])
def test_labels_of_asia_are_hints(text: str, share: float) -> None:
    finding = only_finding(saved(with_label(ground(), asian(text, share)), 80))
    assert finding.parameters == {"mark": "label", "label": text.removeprefix("由")}


def test_metas_words_name_their_maker() -> None:
    finding = only_finding(with_label(ground(), latin("Imagined with AI")))
    assert finding.parameters["maker"] == "Meta AI"


def test_metas_sign_counts_where_meta_draws_it() -> None:
    ink = latin("Meta AI", 0.045)
    finding = only_finding(saved(with_label(ground(), ink, opacity=0.7), 80))
    assert (finding.code, finding.says) == ("visible_label_generated", Says.GENERATED)
    assert finding.parameters == {"mark": "label", "label": "Meta AI", "maker": "Meta AI"}
    for place in ("lower left", "lower middle", "upper left", "upper right"):  # such as in a chat
        assert find_visible_marks(with_label(ground(), ink, place=place)) == []


def test_ai_info_says_only_that_ai_was_used() -> None:
    finding = only_finding(with_label(ground(), latin("AI info")))
    assert (finding.code, finding.says) == ("visible_label_edited", Says.EDITED)


@pytest.mark.parametrize(
    ("place", "style"),
    [
        ("lower right", "plain"),
        ("lower right", "dark"),
        ("lower left", "shadow"),
        ("lower middle", "plate"),
        ("upper left", "plain"),
    ],
)
def test_a_label_is_boxed_at_each_place(place: str, style: str) -> None:
    pixels = ground() // 2 + 60  # dark words need a ground that is not
    ink, (height, width) = latin("AI generated"), pixels.shape[:2]
    box = only_finding(with_label(pixels, ink, style, place)).where.box
    margin = round(0.03 * height)
    row, column = place.split()
    far = width - margin - ink.width
    left = {"left": margin, "middle": (width - ink.width) // 2, "right": far}[column]
    top = margin if row == "upper" else height - margin - ink.height
    assert box is not None
    assert box == pytest.approx((left, top, *ink.size), abs=0.7 * ink.height)


@pytest.mark.parametrize(
    "text",
    ["A generated", "AI general", "Maintained", "Made in Asia", "AI", "KIND", "Al Jones"],
)
def test_other_words_are_no_label(text: str) -> None:
    assert find_visible_marks(with_label(ground(), latin(text))) == []


def test_a_label_in_the_middle_is_a_part_of_the_scene() -> None:
    pixels = np.roll(with_label(ground(), latin("AI generated")), -300, axis=0)
    assert find_visible_marks(pixels) == []
