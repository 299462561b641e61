"""The annotated picture: what is drawn, where it may stand, and that it can be read."""

from __future__ import annotations

from datetime import date
from itertools import combinations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import ImageFont, features

from unmask.detector import annotate as drawing
from unmask.detector.align import Pixels
from unmask.detector.annotate import STYLES, TINT, annotate
from unmask.detector.encoding import BGR, RGB, encode_jpeg
from unmask.detector.plates import BLACK, WHITE, Plate, paste, texts_to_draw, wrapped
from unmask.findings import Evidence, Kind, Weight, Where
from unmask.fonts import font_file
from unmask.i18n import LANGUAGES, texts_in
from unmask.report import Face, Image, Model, Report, Verdict, picture_verdict
from unmask.wording.reports import LABELS

GREY = 128
DAY = date(2026, 11, 24)
CENTRE = (160, 120, 80, 90)
CROWD = [(30 + 118 * (i % 8), 40 + 140 * (i // 8), 60, 75) for i in range(32)]
ENGLISH = texts_in("en")
FAKE, UNSURE, REAL = Verdict.FAKE, Verdict.UNSURE, Verdict.REAL


def face(
    box: tuple[int, int, int, int], verdict: Verdict = FAKE, probability: float = 0.97
) -> Face:
    x, y, width, height = box
    centre = (x + width / 2, y + height / 2)
    return Face(
        box=box,
        landmarks=(centre,) * 5,
        fake_probability=probability,
        verdict=verdict,
        tampered_fraction=0.0,
    )


def report(size: tuple[int, int], *faces: Face, version: str = "1.0.0") -> Report:
    verdict, probability = picture_verdict(faces)
    return Report(
        sha256="0",
        verdict=verdict,
        fake_probability=probability,
        statement="",
        image=Image(width=size[0], height=size[1], format="JPEG"),
        faces=faces,
        model=Model(name="densenet121", version=version, sha256="0"),
        threshold=0.5,
    )


def blank(size: tuple[int, int] = (400, 300)) -> Pixels:
    return np.full((size[1], size[0], 3), GREY, np.uint8)


def no_mask(size: tuple[int, int] = (400, 300)) -> Pixels:
    return np.zeros((size[1], size[0]), np.uint8)


def drawn(*faces: Face, size: tuple[int, int] = (400, 300), mask: Pixels | None = None) -> Pixels:
    marked = no_mask(size) if mask is None else mask
    return annotate(blank(size), report(size, *faces), marked, DAY)


def count(pixels: Pixels, colour: tuple[int, int, int]) -> int:
    return int(np.count_nonzero((pixels == colour).all(axis=2)))


def inside(pixels: Pixels, box: tuple[int, int, int, int], margin: int = 3) -> Pixels:
    """What lies in the box, but for a margin that the dark edge of its line may take."""
    x, y, width, height = box
    return pixels[y + margin : y + height - margin, x + margin : x + width - margin]


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance as the W3C's contrast ratio has it."""
    shares = np.array(colour) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_in_the_order_of_the_encoder_the_same_is_drawn(portrait: Pixels) -> None:
    size = portrait.shape[1], portrait.shape[0]
    mask = no_mask(size)
    cv2.circle(mask, (200, 165), 60, 255, -1)
    mark = Evidence(
        kind=Kind.VISIBLE_MARKS,
        code="visible_mark_generated",
        weight=Weight.HINT,
        where=Where(box=(400, 400, 40, 40)),
    )
    faces = face(CENTRE), face((30, 300, 80, 90), UNSURE, 0.5), face((300, 30, 80, 90), REAL, 0.1)
    marked = report(size, *faces).model_copy(update={"evidence": (mark,)})
    before = portrait.copy()
    rgb, bgr = (annotate(portrait, marked, mask, DAY, order=order) for order in (RGB, BGR))
    assert np.array_equal(rgb, bgr[..., ::-1])
    assert encode_jpeg(rgb) == encode_jpeg(bgr, BGR)
    assert np.array_equal(portrait, before)


def test_the_picture_given_stays_as_it_is() -> None:
    pixels = blank()
    pixels.flags.writeable = False
    result = annotate(pixels, report((400, 300), face(CENTRE)), no_mask())
    assert result.shape == pixels.shape
    assert result.dtype == np.uint8
    assert (pixels == GREY).all()
    assert (result != GREY).any()


@pytest.mark.parametrize("verdict", [FAKE, UNSURE, REAL])
def test_each_verdict_has_its_colour_and_leaves_the_face_free(verdict: Verdict) -> None:
    result = drawn(face(CENTRE, verdict, 0.5))
    for other, style in STYLES.items():
        assert (count(result, style.colour) > 100) == (other is verdict)
    assert (inside(result, CENTRE) == GREY).all()


def test_lines_tell_verdicts_apart_without_colour() -> None:
    """Along the middle of the left side: a full line, a broken line, a full thin one."""
    found = {}
    for verdict, style in STYLES.items():
        result = drawn(face(CENTRE, verdict, 0.5))
        left = (result[120:210, 100:160] == style.colour).all(axis=2)
        found[verdict] = (left.any(axis=1).all(), int(left.sum(axis=1).max()))
    assert found[FAKE][0]
    assert not found[UNSURE][0]
    assert found[REAL][0]
    assert found[FAKE][1] >= 2 * found[REAL][1]


def test_colours_differ_in_brightness() -> None:
    """Brightness alone is enough, so no kind of colour blindness matters."""
    colours = [style.colour for style in STYLES.values()]
    assert min(contrast(one, other) for one, other in combinations(colours, 2)) >= 1.5
    assert min(contrast(colour, BLACK) for colour in colours) >= 4.5


def test_nothing_found_is_not_called_genuine() -> None:
    words = LABELS[REAL].lower()
    assert "genuine" not in words
    assert "real" not in words


@pytest.mark.parametrize(("probability", "shown"), [(0.0, "1 %"), (0.974, "97 %"), (1.0, "99 %")])
def test_labels_speak_in_whole_per_cent(probability: float, shown: str) -> None:
    plate = drawing._label(ENGLISH, face(CENTRE, FAKE, probability), 1, 1, 20, 400)
    assert plate.lines == (f"FAKE {shown}",)
    several = drawing._label(ENGLISH, face(CENTRE, FAKE, probability), 3, 7, 20, 400)
    assert several.lines == (f"3  FAKE {shown}",)


@pytest.mark.parametrize("side", [32, 48, 64, 80, 96])
@pytest.mark.parametrize("verdict", STYLES)
@pytest.mark.parametrize("faces", [1, 3])
def test_labels_fit_the_smallest_pictures(side: int, verdict: Verdict, faces: int) -> None:
    small = face((4, 4, side - 8, side - 8), verdict, 0.55)
    plate = drawing._label(ENGLISH, small, 2, faces, 11, side)
    assert plate.size[0] <= side
    assert plate.lines[0].endswith("55 %")


def test_the_tampered_region_is_tinted_and_outlined() -> None:
    mask = no_mask()
    cv2.circle(mask, (200, 165), 30, 255, -1)
    result = drawn(face(CENTRE), mask=mask)
    tinted = result[165, 200].astype(int)
    assert tinted[2] > GREY > tinted[0]
    assert abs(tinted - np.array(TINT)).sum() < abs(GREY - np.array(TINT)).sum()
    ring = cv2.dilate(mask, np.ones((5, 5), np.uint8)) - cv2.erode(mask, np.ones((5, 5), np.uint8))
    assert (result[ring > 0] == 255).all(axis=1).any()
    assert (result[ring > 0] == 0).all(axis=1).any()
    assert (result[124:130, 164:172] == GREY).all()  # in the box, outside the region


def legend_of(result: Pixels) -> Pixels:
    """The strip at the bottom, where the legend of these pictures stands."""
    return result[-40:]


def test_the_legend_names_version_and_date_and_explains_the_outline() -> None:
    size = (400, 300)
    usual = legend_of(drawn(face(CENTRE)))
    mask = no_mask()
    mask[140:180, 180:220] = 255
    others = [
        annotate(blank(), report(size, face(CENTRE), version="1.0.1"), no_mask(), DAY),
        annotate(blank(), report(size, face(CENTRE)), no_mask(), date(2026, 11, 25)),
        annotate(blank(), report(size, face(CENTRE)), mask, DAY),
    ]
    for other in others:
        assert (legend_of(other) != usual).any()
    lines = drawing._legend(ENGLISH, report(size, face(CENTRE)), True, DAY)
    assert lines == ["Unmask densenet121 1.0.0 · 2026-11-24", "outlined: likely altered"]
    unsure = drawing._legend(ENGLISH, report(size, face(CENTRE, UNSURE, 0.5)), True, DAY)
    assert unsure[-1] == "outlined: possibly altered"
    assert len(wrapped(lines[:1], 12, 150)) == 2  # wrapped, not cut


@pytest.mark.parametrize("box", [(150, 200, 90, 99), (0, 205, 90, 95), (300, 0, 100, 120)])
def test_the_legend_gives_way_to_faces(box: tuple[int, int, int, int]) -> None:
    result = drawn(face(box, REAL, 0.04))
    assert (inside(result, box) == GREY).all()


@pytest.mark.parametrize("box", [(10, 270, 120, 20), (10, 10, 120, 20)])
def test_the_legend_gives_way_to_visible_marks(box: tuple[int, int, int, int]) -> None:
    mark = Evidence(
        kind=Kind.VISIBLE_MARKS,
        code="visible_mark_generated",
        weight=Weight.HINT,
        where=Where(box=box),
    )
    marked = report((400, 300)).model_copy(update={"evidence": (mark,)})
    result = annotate(blank(), marked, no_mask())
    assert np.array_equal(inside(result, box), inside(blank(), box))


@pytest.mark.parametrize(
    "boxes",
    [
        [CENTRE],
        [(0, 0, 80, 90)],
        [(920, 510, 80, 90)],
        [(0, 250, 60, 80), (940, 250, 60, 80)],
        [(400, 200, 80, 90), (485, 200, 80, 90), (570, 200, 80, 90)],
        CROWD,
    ],
    ids=["centre", "top-left", "bottom-right", "sides", "neighbours", "crowd of 32"],
)
def test_labels_stand_inside_off_faces_and_off_each_other(
    boxes: list[tuple[int, int, int, int]],
) -> None:
    size = 1000, 600
    faces = [(i, face(box, (FAKE, UNSURE, REAL)[i % 3])) for i, box in enumerate(boxes)]
    rects = [drawing._box(item) for _, item in faces]
    placed = drawing._layout(ENGLISH, faces, rects, drawing._text_size(size), size)
    assert len(placed) == len(boxes)
    said = report(size, *(item for _, item in faces))
    placed += drawing._place_legend(
        "en",
        drawing._legend(ENGLISH, said, True, DAY),
        rects + [drawing._rect(*label) for label in placed],
        24,
        size,
    )
    assert len(placed) == len(boxes) + 1
    plates = [drawing._rect(*label) for label in placed]
    for x0, y0, x1, y1 in plates:
        assert 0 <= x0 < x1 <= size[0]
        assert 0 <= y0 < y1 <= size[1]
    for one, other in [*combinations(plates, 2), *((p, r) for p in plates for r in rects)]:
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


@pytest.mark.parametrize(
    "size", [(300, 300), (300, 200), (640, 480), (4000, 3000), (3000, 4000), (8000, 6000)]
)
def test_text_can_be_read_on_a_thumbnail_of_300_pixels(size: tuple[int, int]) -> None:
    shown = drawing._text_size(size) * 300 / max(size)
    assert shown >= 11
    assert shown * drawing.LEGEND_TEXT >= 8.5


@pytest.mark.parametrize("size", [(16, 16), (40, 16), (64, 78), (3000, 40), (40, 3000)])
def test_odd_sizes(size: tuple[int, int]) -> None:
    box = (2, 2, size[0] // 2, size[1] // 2)
    mask = no_mask(size)
    mask[2:10, 2:10] = 255
    for verdict in STYLES:
        assert drawn(face(box, verdict), size=size, mask=mask).shape == (size[1], size[0], 3)


boxes = st.tuples(
    st.integers(-20, 300), st.integers(-20, 300), st.integers(0, 320), st.integers(0, 320)
)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(16, 300),
    st.integers(16, 300),
    st.lists(st.tuples(boxes, st.sampled_from([FAKE, UNSURE, REAL])), max_size=6),
)
def test_no_box_is_too_odd(
    width: int, height: int, found: list[tuple[tuple[int, int, int, int], Verdict]]
) -> None:
    faces = [face(box, verdict) for box, verdict in found]
    assert drawn(*faces, size=(width, height)).shape == (height, width, 3)


def test_a_picture_without_a_face_has_only_a_legend() -> None:
    result = drawn()
    assert (result[:200] == GREY).all()
    assert (legend_of(result) != GREY).any()


def test_twelve_megapixels_are_drawn(portrait: Pixels) -> None:
    size = 4000, 3000
    pixels = cv2.resize(portrait, size)
    mask = no_mask(size)
    cv2.circle(mask, (2000, 1200), 700, 255, -1)
    said = report(size, face((1400, 400, 1200, 1500)), face((100, 100, 200, 220), REAL, 0.02))
    result = annotate(pixels, said, mask)
    assert result.shape[1] == 4000 and (result[2400:] != pixels[2400:]).any()


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_words_are_drawn_in_a_language(language: str) -> None:
    size, mask = (400, 300), no_mask()
    mask[140:180, 180:220] = 255
    assert texts_to_draw(language).language == language
    lines = drawing._legend(texts_in(language), report(size, face(CENTRE)), True, DAY)
    assert lines[-1] != "outlined: likely altered"
    for verdict in STYLES:
        plate = drawing._label(texts_in(language), face(CENTRE, verdict), 1, 1, 20, 400)
        ink = plate.ink()
        assert texts_in(language).gettext(LABELS[verdict]) in plate.lines[0]
        assert ink.max() == 255
        # nothing is cut: marks stand above and below the letters
        assert not ink[[0, -1]].any() and not ink[:, [0, -1]].any()
    english = annotate(blank(), report(size, face(CENTRE)), mask, DAY)
    assert (annotate(blank(), report(size, face(CENTRE)), mask, DAY, language) != english).any()


def test_letters_that_join_are_drawn_by_an_engine_that_joins_them() -> None:
    """The vowel sign i of Hindi is written before its letter, and stands before it when drawn."""
    text, letter = "\u0915\u093f", "\u0915"
    shaped = ImageFont.truetype(font_file("hi"), 40, layout_engine=ImageFont.Layout.RAQM)
    plain = ImageFont.truetype(font_file("hi"), 40, layout_engine=ImageFont.Layout.BASIC)
    assert features.check("raqm"), "FriBiDi is missing: apt-get install libfribidi0"
    assert bytes(shaped.getmask(text)) != bytes(plain.getmask(text))
    assert bytes(shaped.getmask(letter)) == bytes(plain.getmask(letter))


def test_letters_that_cannot_be_joined_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "check", lambda _: False)
    assert [texts_to_draw(language).language for language in ("hi", "te", "de")] == [
        "en",
        "en",
        "de",
    ]


@pytest.mark.parametrize("opacity", [1.0, 0.7])
def test_a_plate_is_blended_by_its_opacity_and_its_letters_by_theirs(
    opacity: float, portrait: Pixels
) -> None:
    plate = Plate(("Unmask 97 %",), 24, (213, 94, 0), WHITE, opacity)
    canvas = portrait[:200, :300].copy()
    paste(canvas, plate, 260, 150)  # a part of it lies outside
    bottom = 150 + plate.size[1]
    under, ink = portrait[150:bottom, 260:300], plate.ink()[:, :40, None] / 255
    ground = under * (1 - opacity) + np.array(plate.ground) * opacity
    blended = ground + (np.array(WHITE) - ground) * ink
    assert np.abs(canvas[150:bottom, 260:] - blended).max() <= 0.51
    assert (canvas[:150] == portrait[:150, :300]).all()


@pytest.mark.parametrize(("letter", "is_kept"), [(16, True), (160, False)])
def test_the_ink_of_small_letters_is_drawn_once(letter: int, is_kept: bool) -> None:
    first, second = (Plate(("REAL 2 %",), letter, BLACK) for _ in range(2))
    assert np.array_equal(first.ink(), second.ink()) and first.ink().any()
    assert (first.ink() is second.ink()) == is_kept
    assert not first.ink().flags.writeable  # it is shared
    other = Plate(("REAL 3 %",), letter, BLACK)
    assert not np.array_equal(first.ink(), other.ink())
