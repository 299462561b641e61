"""Draws right and wrong verdicts with their masks, for people to look at.

The sheets show pictures of the data set: its terms apply to them.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache as remembered
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from model_training.dataset.data import Folders, Row, of_split, read_dataset
from model_training.evaluation import tables
from model_training.evaluation.localisation import (
    FaceView,
    face_view,
    frame_region,
    heatmap_marks,
    true_mask,
)
from model_training.evaluation.metrics import Flags, jsonable, write_json
from model_training.evaluation.predict import Predictions, predict, read_rgb
from model_training.evaluation.tables import Judged
from unmask.detector.align import Pixels
from unmask.detector.manifest import Manifest, load_manifest
from unmask.detector.masks import paste_heatmap
from unmask.report import Verdict

#: Side of a picture on a sheet, height of its caption, letters of it, in pixels.
SIDE, CAPTION, LETTER = 176, 36, 13
COLUMNS, LINES = 4, 6
#: A picture whose channels lie less than this apart on average is grey, in levels of 256.
GREY_SPREAD = 8.0
MARKED, TRUE = (213, 94, 0), (0, 158, 115)


@dataclass(frozen=True)
class Group:
    """A kind of answer: its file name, its title, and which pictures belong to it."""

    name: str
    title: str
    label: int
    verdict: Verdict


GROUPS = (
    Group("missed", "Fakes of which no sign was found", 1, Verdict.REAL),
    Group("false-alarms", "Real pictures called fake", 0, Verdict.FAKE),
    Group("unsure-fakes", "Fakes left unsure", 1, Verdict.UNSURE),
    Group("unsure-reals", "Real pictures left unsure", 0, Verdict.UNSURE),
    Group("found", "Fakes called fake", 1, Verdict.FAKE),
    Group("cleared", "Real pictures of which no sign was found", 0, Verdict.REAL),
)


def draw_gallery(
    data_dir: Folders,
    manifest_path: Path,
    out_dir: Path,
    *,
    split: str = "test",
    sources: Sequence[str] = (),
    limit: int = 48,
    cache: Path | None = None,
    record: Path | None = None,
) -> dict[str, int]:
    """Write contact sheets and index.html; returns how many pictures each group has.

    Of each group up to ``limit`` pictures are shown, the most surprising first. ``sources`` names
    those to show; none means all. ``record`` is a file for what the groups hold in figures, over
    all sources. Raises ValueError for a split or sources without pictures.
    """
    rows = of_split(read_dataset(data_dir), split)
    if not any(not sources or row.source in sources for row in rows):
        raise ValueError(f"{data_dir} has no such pictures in the split {split!r}")
    manifest = load_manifest(manifest_path)
    # all rows, whatever is shown: the evaluation asked for them too, so they are in the cache
    found = predict(rows, manifest_path, cache=cache)
    judged = tables.judge(rows, found, found.largest, manifest)
    chosen = np.array([not sources or row.source in sources for row in rows])
    out_dir.mkdir(parents=True, exist_ok=True)
    counts: dict[str, int] = {}
    parts = []
    for group in GROUPS:
        own = np.flatnonzero(
            chosen & (judged.label == group.label) & (judged.verdict == group.verdict)
        )
        order = np.argsort(judged.chance[own], kind="stable")
        own = own[order if group.label else order[::-1]]
        counts[group.name] = len(own)
        tiles = [_tile(rows[i], found, int(i), judged, manifest) for i in own[:limit]]
        names = _write_sheets(tiles, out_dir, group.name)
        whole = int((chosen & (judged.label == group.label)).sum())
        parts.append(_section(group, names, (len(own), whole), [rows[i].name for i in own[:limit]]))
    if record is not None:
        figures = describe(rows, found, judged, manifest)
        about = {"split": split, "model": {"version": manifest.version, "sha256": manifest.sha256}}
        write_json(record, jsonable({"version": 1, **about, **figures}))
    page = _page(f"{manifest.name} {manifest.version}, {split} split", parts)
    (out_dir / "index.html").write_text(page, encoding="utf-8")
    return counts


def describe(
    rows: Sequence[Row], found: Predictions, judged: Judged, manifest: Manifest
) -> dict[str, Any]:
    """What the pictures of each group have in common, in figures."""
    pixels = [read_rgb(row.path) for row in rows]
    brightness = np.array([picture.mean() for picture in pixels])
    spread = np.array([np.ptp(picture, axis=2).mean() for picture in pixels])
    bound = manifest.thresholds.mask
    marked = np.array(
        [face >= 0 and bool((found.heatmaps[face] >= bound).any()) for face in found.largest]
    )
    groups = {}
    for group in GROUPS:
        own = (judged.label == group.label) & (judged.verdict == group.verdict)
        if own.any():
            groups[group.name] = {
                "title": group.title,
                "count": int(own.sum()),
                "of": int((judged.label == group.label).sum()),
                "sources": dict(Counter(judged.source[own].tolist()).most_common()),
                "kinds": dict(Counter(judged.kind[own].tolist()).most_common()),
                "unmarked": float((~marked[own]).mean()),
                "brightness": float(brightness[own].mean()),
                "grey": float((spread[own] < GREY_SPREAD).mean()),
                "chance": [float(judged.chance[own].min()), float(judged.chance[own].max())],
            }
    return {"grey_spread": GREY_SPREAD, "groups": groups}


def _tile(row: Row, found: Predictions, index: int, judged: Judged, manifest: Manifest) -> Pixels:
    """The picture with the mask's outline and, where known, the true one's; the heatmap; words."""
    view = face_view(row, found, index)
    if view is None:
        raise ValueError(f"no face was found in {row.name}")
    marked = heatmap_marks(view, manifest.thresholds.mask)
    shown = view.pixels.copy()
    truth = true_mask(row, shown.shape) if row.mask else None
    for mask, colour in ((truth, TRUE), (marked, MARKED)):
        if mask is not None:
            _outline(shown, mask, colour)
    pictures = [_fitted(shown), _fitted(_heated(view))]
    chance = judged.chance[index]
    words = (f"{row.source} · {100 * chance:.1f} %", row.name.rsplit("/", maxsplit=1)[-1])
    return np.concatenate([np.concatenate(pictures, axis=1), _caption(words)])


def _outline(shown: Pixels, mask: Flags, colour: tuple[int, int, int]) -> None:
    grey = mask.astype(np.uint8)
    contours, _ = cv2.findContours(grey, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, contours, -1, colour, max(1, round(max(mask.shape) / 160)))


def _heated(view: FaceView) -> Pixels:
    """The heatmap over the grey picture, from blue (0) to yellow (1); grey outside the frame."""
    canvas = np.zeros(view.pixels.shape[:2], np.float32)
    paste_heatmap(canvas, view.heatmap, view.quad)
    levels = np.round(np.clip(canvas, 0, 1) * 255).astype(np.uint8)
    heat = cv2.applyColorMap(levels, cv2.COLORMAP_CIVIDIS)[:, :, ::-1]
    grey = cv2.cvtColor(cv2.cvtColor(view.pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    blended = cv2.addWeighted(grey, 0.35, np.ascontiguousarray(heat), 0.65, 0)
    return np.asarray(np.where(frame_region(view)[..., None], blended, grey), np.uint8)


def _fitted(pixels: Pixels) -> Pixels:
    """The whole picture within a white square of SIDE pixels."""
    scale = SIDE / max(pixels.shape[:2])
    size = max(round(pixels.shape[1] * scale), 1), max(round(pixels.shape[0] * scale), 1)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(pixels, size, interpolation=method)
    square = np.full((SIDE, SIDE, 3), 255, np.uint8)
    top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = small
    return square


@remembered
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(LETTER)


def _caption(words: Sequence[str]) -> Pixels:
    paper = Image.new("RGB", (2 * SIDE, CAPTION), "white")
    pen = ImageDraw.Draw(paper)
    for line, text in enumerate(words):
        pen.text((3, 1 + line * (LETTER + 3)), text, fill="black", font=_font())
    return np.asarray(paper, np.uint8)


def _write_sheets(tiles: list[Pixels], out_dir: Path, name: str) -> list[str]:
    """Sheets of COLUMNS x LINES tiles; those of an earlier gallery are dropped."""
    for old in out_dir.glob(f"{name}-[0-9]*.jpg"):
        old.unlink()
    names = []
    for number, sheet in enumerate(_sheets(tiles), 1):
        names.append(f"{name}-{number}.jpg")
        options = [cv2.IMWRITE_JPEG_QUALITY, 88]
        cv2.imwrite(str(out_dir / names[-1]), sheet[:, :, ::-1], options)
    return names


def _sheets(tiles: list[Pixels]) -> Iterator[Pixels]:
    for start in range(0, len(tiles), COLUMNS * LINES):
        part = tiles[start : start + COLUMNS * LINES]
        columns = min(COLUMNS, len(part))
        blank = np.full_like(part[0], 255)
        part = part + [blank] * (-len(part) % columns)
        lines = [part[i : i + columns] for i in range(0, len(part), columns)]
        yield np.concatenate([np.concatenate(line, axis=1) for line in lines])


def _section(
    group: Group, sheets: Sequence[str], counts: tuple[int, int], names: Sequence[str]
) -> str:
    count, whole = counts
    pictures = "\n".join(
        f'<img src="{sheet}" alt="{group.title}, sheet {number}">'
        for number, sheet in enumerate(sheets, 1)
    )
    listed = "".join(f"<li>{html.escape(name)}</li>" for name in names)
    files = f"<details><summary>Files shown</summary><ol>{listed}</ol></details>" if names else ""
    return f"<h2>{group.title}: {count} of {whole}</h2>\n{pictures}\n{files}"


def _page(title: str, parts: Sequence[str]) -> str:
    head = html.escape(title)
    body = "\n".join(parts)
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Verdicts of {head}</title>
<style>body {{ font: 16px/1.5 sans-serif; margin: 2rem }} img {{ max-width: 100% }}</style>
<h1>Verdicts of {head}</h1>
<p>Each picture with the mask's outline (orange) and the true one's where it is known (green),
beside the heatmap from blue (0) to yellow (1). The most surprising come first.</p>
{body}
</html>
"""
