"""Draws a report onto its picture.

A verdict is said three times over: in words, by the line (thick, dashed, thin) and by a colour of
the palette of Okabe and Ito, "Color Universal Design" (2008), which the colour-blind tell apart.
Everything is sized by the picture, so that it reads as well when the picture is shown at 300 pixels
as when it is shown at 4000, and only the pixels concerned are touched.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import cv2
import numpy as np
import numpy.typing as npt

from unmask.detector.align import Pixels
from unmask.detector.encoding import RGB, Order, in_bgr
from unmask.detector.plates import BLACK, WHITE, Colour, Plate, Size, paste, texts_to_draw, wrapped
from unmask.i18n import DEFAULT, Texts
from unmask.report import Box, Face, Report, Verdict, shown_percent
from unmask.wording.evidence import origin_label
from unmask.wording.reports import LABELS

#: Left, top, right, bottom in pixels; right and bottom lie just outside.
Rect = tuple[int, int, int, int]
Rects = npt.NDArray[np.float64]
#: Faces with their numbers in the report.
Numbered = list[tuple[int, Face]]
Placed = tuple[Plate, tuple[int, int]]


@dataclass(frozen=True)
class Style:
    """How a verdict looks: the colour, and the line, its width in text sizes."""

    colour: Colour
    line: float
    dashed: bool = False


STYLES = {
    Verdict.FAKE: Style((213, 94, 0), 0.20),
    Verdict.UNSURE: Style((240, 228, 66), 0.15, dashed=True),
    Verdict.REAL: Style((86, 180, 233), 0.08),
}
#: The box of a mark that a generator drew: purple in the same palette.
VISIBLE_MARK = Style((204, 121, 167), 0.12, dashed=True)
#: Drawn last, so that it lies on top.
MOST_SUSPICIOUS_LAST = (Verdict.REAL, Verdict.UNSURE, Verdict.FAKE)
#: Blue is far from every skin, for every kind of eye.
TINT, TINT_OPACITY = (0, 114, 178), 0.4
LEGEND_OPACITY = 0.7
#: Most of the picture's height that the legend may take.
LEGEND_MOST = 0.3

#: Smallest text, in pixels, and the usual one as a share of the longer and of the shorter side.
LEAST_TEXT, MIN_TEXT, TEXT_OF_LONG, TEXT_OF_SHORT = 7, 11, 1 / 25, 1 / 8
#: The legend's text in sizes of a label's.
LEGEND_TEXT = 0.8
#: Where faces crowd, all labels shrink to one of these shares of the usual size.
SHRINK = (1.0, 0.8, 0.64, 0.5, 0.4)
#: What it costs to hide a whole label behind another, the label's own face, or another face.
ON_LABEL, ON_OWN_FACE, ON_OTHER_FACE = 4.0, 2.0, 1.0
#: A shrunken layout must be better by this much, for labels are there to be read.
WORTH_SHRINKING = 0.15


def annotate(
    pixels: Pixels,
    report: Report,
    mask: Pixels,
    examined: date | None = None,
    language: str = DEFAULT,
    order: Order = RGB,
) -> Pixels:
    """The picture with a box and label for each face, the tampered region and a legend.

    ``pixels`` (h, w, 3) RGB, left as it is; ``mask`` (h, w), 255 where tampered; ``examined`` is
    the day that the legend names, by default today (UTC); ``language`` is that of the words, where
    its letters can be drawn (:func:`unmask.detector.plates.texts_to_draw`). The report's visible
    marks are boxed too. Returns a new picture of the same size, its colours in ``order``: in BGR it
    can be encoded without another copy.
    """
    texts = texts_to_draw(language)
    canvas = pixels.copy() if order is RGB else in_bgr(pixels)
    size = canvas.shape[1], canvas.shape[0]
    text = _text_size(size)
    marked = _mark_region(canvas, mask, text, order)
    faces = sorted(
        enumerate(report.faces, 1),
        key=lambda item: (MOST_SUSPICIOUS_LAST.index(item[1].verdict), item[1].fake_probability),
    )
    boxes = [_box(face) for _, face in faces]
    for (_, face), box in zip(faces, boxes, strict=True):
        _draw_box(canvas, box, STYLES[face.verdict], text, order)
    marks = [_rect_of(item.where.box) for item in report.evidence if item.where.box]
    for mark in marks:
        _draw_box(canvas, mark, VISIBLE_MARK, text, order)
    labels = _layout(texts, faces, boxes, text, size)
    parts = _legend(texts, report, marked, examined or datetime.now(UTC).date())
    others = boxes + marks + [_rect(*label) for label in labels]
    legend = _place_legend(texts.language, parts, others, text, size)
    for plate, (x, y) in (*legend, *labels):
        paste(canvas, plate, x, y, order)
    return canvas


def _rect_of(box: Box) -> Rect:
    left, top, width, height = box
    return left, top, left + width, top + height


# The tampered region


def _mark_region(canvas: Pixels, mask: Pixels, text: int, order: Order) -> bool:
    """Tint and outline what the mask marks; tells whether it marks anything."""
    left, top, width, height = cv2.boundingRect(mask)
    if not width:
        return False
    part = mask[top : top + height, left : left + width]
    parts, _ = cv2.findContours(
        part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=(left, top)
    )
    for contour in parts:
        x, y, w, h = cv2.boundingRect(contour)
        _tint(canvas[y : y + h, x : x + w], mask[y : y + h, x : x + w], order)
        line = max(1, round(min(text * 0.08, max(w, h) / 40)))
        for colour, thickness in ((BLACK, 2 * line + 1), (WHITE, line)):  # seen on dark and light
            cv2.polylines(canvas, [contour], True, colour, thickness, cv2.LINE_AA)
    return True


def _tint(part: Pixels, mask: Pixels, order: Order) -> None:
    """Blend the tint into the marked pixels of a part of the picture, in place."""
    ground = np.empty_like(part)
    ground[:] = TINT[order]
    cv2.copyTo(cv2.addWeighted(part, 1 - TINT_OPACITY, ground, TINT_OPACITY, 0), mask, part)


# The boxes


def _box(face: Face) -> Rect:
    x, y, width, height = face.box
    return x, y, x + max(width, 1), y + max(height, 1)


def _draw_box(canvas: Pixels, box: Rect, style: Style, text: int, order: Order) -> None:
    """A frame around the face, its line outside the box and inside the picture."""
    line = _line_width(box, style, text)
    height, width = canvas.shape[:2]
    left, top = max(box[0] - line, 0), max(box[1] - line, 0)
    right, bottom = min(box[2] + line, width), min(box[3] + line, height)
    bars: list[Rect] = []
    for x0, x1 in _dashes(left, right, line, style.dashed):
        bars += [(x0, top, x1, top + line), (x0, bottom - line, x1, bottom)]
    for y0, y1 in _dashes(top, bottom, line, style.dashed):
        bars += [(left, y0, left + line, y1), (right - line, y0, right, y1)]
    edge = max(1, line // 4)  # a dark edge parts the line from any background
    for x0, y0, x1, y1 in bars:
        canvas[max(y0 - edge, 0) : y1 + edge, max(x0 - edge, 0) : x1 + edge] = BLACK
    for x0, y0, x1, y1 in bars:
        canvas[max(y0, 0) : y1, max(x0, 0) : x1] = style.colour[order]


def _line_width(box: Rect, style: Style, text: int) -> int:
    """Heavy enough for the picture, but never so heavy that a small face drowns in it."""
    side = min(box[2] - box[0], box[3] - box[1])
    return max(1, round(style.line * min(text, side / 2)))


def _dashes(start: int, end: int, line: int, dashed: bool) -> list[tuple[int, int]]:
    """A side of a box as strokes: one, or an odd number of thirds so that both ends are drawn."""
    if not dashed:
        return [(start, end)]
    count = max(2, round((end - start) / (6 * line)))
    step = (end - start) / (count - 1 / 3)
    return [(round(start + i * step), round(start + (i + 2 / 3) * step)) for i in range(count)]


def _text_size(size: Size) -> int:
    return max(MIN_TEXT, round(min(max(size) * TEXT_OF_LONG, min(size) * TEXT_OF_SHORT)))


def _label(texts: Texts, face: Face, number: int, faces: int, letter: int, width: int) -> Plate:
    """'FAKE 97 %', led by the face's number in the report where there are several.

    Where that is wider than the picture the percentage is left, if need be in small letters: the
    box's style and colour tell the verdict, too.
    """
    style = STYLES[face.verdict]
    which = f"{number}  " if faces > 1 else ""
    percent = f"{shown_percent(face.fake_probability)} %"
    words = f"{which}{texts.gettext(LABELS[face.verdict])} {percent}"
    for text, size in ((words, letter), (which + percent, letter), (which + percent, LEAST_TEXT)):
        plate = Plate((text,), size, style.colour, bold=True, language=texts.language)
        if plate.size[0] <= width:
            break
    return plate


# The legend


def _place_legend(
    language: str, parts: list[str], others: list[Rect], text: int, size: Size
) -> list[Placed]:
    """The legend at the edge where it and the others hide least of each other.

    Where they would hide something it shrinks; a picture too small for its words has none.
    """
    best: list[Placed] = []
    least = float("inf")
    for share in SHRINK:
        letter = max(MIN_TEXT - 1, round(text * LEGEND_TEXT * share))
        lines = wrapped(parts, letter, size[0], language)
        plate = Plate(lines, letter, BLACK, WHITE, LEGEND_OPACITY, language=language)
        right, bottom = size[0] - plate.size[0], size[1] - plate.size[1]
        if right < 0 or plate.size[1] > size[1] * LEGEND_MOST:
            continue
        spots = [(right * i // 8, y) for y in (bottom, 0) for i in range(9)]
        rects = np.array([_rect(plate, spot) for spot in spots], np.float64)
        hidden = _hidden(rects, others)
        chosen = int(np.argmin(hidden))
        if hidden[chosen] < least - WORTH_SHRINKING:
            best, least = [(plate, spots[chosen])], float(hidden[chosen])
        if least <= WORTH_SHRINKING:  # nothing can be better by that much
            break
    return best


def _legend(texts: Texts, report: Report, marked: bool, examined: date) -> list[str]:
    """The legend's parts, each of which begins a line."""
    model = report.model
    parts = [f"Unmask {model.name} {model.version} · {examined:%Y-%m-%d}"]
    if marked:
        is_fake = report.verdict is Verdict.FAKE
        parts.append(
            texts.gettext("outlined: likely altered")
            if is_fake
            else texts.gettext("outlined: possibly altered")
        )
    parts += filter(None, [origin_label(texts, report)])
    return parts


# The places of the labels


def _layout(
    texts: Texts, faces: Numbered, boxes: list[Rect], text: int, size: Size
) -> list[Placed]:
    """A plate and its top left corner for each face.

    Labels stand beside their box, inside the picture, and off faces and other labels where there
    is room, if need be by shrinking all of them.
    """
    best: list[Placed] = []
    least = float("inf")
    for share in SHRINK:
        letter = max(MIN_TEXT, round(text * share))
        plates = [
            _label(texts, face, number, len(faces), letter, size[0]) for number, face in faces
        ]
        placed, cost = _place(plates, boxes, size)
        if cost < least - WORTH_SHRINKING:
            best, least = placed, cost
        if cost == 0 or letter == MIN_TEXT:
            break
    return best


def _place(plates: list[Plate], boxes: list[Rect], size: Size) -> tuple[list[Placed], float]:
    """Choose a spot for each plate, the last first; also returns how much they hide."""
    placed: list[Placed] = []
    labels: list[Rect] = []
    total = 0.0
    for index in reversed(range(len(plates))):
        plate, own = plates[index], boxes[index]
        rects = _candidates(own, plate.size, size, gap=max(1, plate.letter // 4))
        cost = (
            ON_LABEL * _hidden(rects, labels)
            + ON_OWN_FACE * _hidden(rects, [own])
            + ON_OTHER_FACE * _hidden(rects, boxes[:index] + boxes[index + 1 :])
        )
        chosen = int(np.argmin(cost))
        spot = int(rects[chosen, 0]), int(rects[chosen, 1])
        labels.append(_rect(plate, spot))
        placed.insert(0, (plate, spot))
        total += float(cost[chosen])
    return placed, total


def _candidates(box: Rect, label: Size, size: Size, gap: int) -> Rects:
    """Where a label may stand (n, 4), the best first: above, below, beside; never outside."""
    x0, y0, x1, y1 = box
    width, height = label
    columns = (x0 - gap, (x0 + x1 - width) // 2, x1 + gap - width)
    rows = (y0 - gap, (y0 + y1 - height) // 2, y1 + gap - height)
    spots = [(x, y0 - gap - height) for x in columns]
    spots += [(x, y1 + gap) for x in columns]
    spots += [(x, y) for y in rows for x in (x1 + gap, x0 - gap - width)]
    corners = np.array(spots, np.float64)
    corners = np.clip(corners, 0, np.maximum(np.array(size) - label, 0))
    return np.concatenate([corners, corners + label], axis=1)


def _hidden(rects: Rects, others: list[Rect]) -> npt.NDArray[np.float64]:
    """How much each rectangle (n, 4) and the others hide of each other: (n,).

    The shared area in shares of the smaller of the two, summed over the others.
    """
    if not others:
        return np.zeros(len(rects))
    over = np.array(others, np.float64)[None]
    low = np.maximum(rects[:, None, :2], over[..., :2])
    high = np.minimum(rects[:, None, 2:], over[..., 2:])
    smaller = np.minimum(_areas(rects)[:, None], _areas(over))
    return np.asarray((np.prod(np.maximum(high - low, 0), axis=2) / smaller).sum(axis=1))


def _rect(plate: Plate, spot: tuple[int, int]) -> Rect:
    """What a plate covers whose top left corner is at ``spot``."""
    return (*spot, spot[0] + plate.size[0], spot[1] + plate.size[1])


def _areas(rects: Rects) -> npt.NDArray[np.float64]:
    return np.asarray(np.prod(rects[..., 2:] - rects[..., :2], axis=-1))
