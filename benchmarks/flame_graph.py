"""Draws a profile's folded stacks as a flame graph (Gregg, "The flame graph", 2016), an SVG file.

Each box is a function, as wide as its share of the samples; what it calls stands above it. Its
colour is that of a part of a check, and its title has its name and share.
The file has no scripts and no fonts of its own, and follows the reader's light or dark theme.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH, ROW, MARGIN, HEAD = 1000, 20, 12, 34
#: Boxes narrower than this, in pixels, are left out; a letter's width at the size of the font.
NARROWEST, LETTER = 1.0, 6.4

#: Of boxes: dark text stands on each of them, in either theme.
COLOURS = ("#f2a25c", "#8fbf7f", "#7fb2d6", "#d9a0c4", "#cfc36a", "#a7a3d8", "#e58f86", "#7fc4bb")
OTHER = "#c3c7cc"

#: Parts of a check, by what stands in a sampled stack; the first that fits.
PARTS = {
    "face network": r"CenterFace\.glance.*Session\.run",
    "CLIP": r"ClipJudge",
    "DenseNet121": r"Classifier\.answers.*Session\.run|_Compiled\.run",
    "the rest of the search, resizing": r"FaceFinder",
    "evidence": r"_collect|collect\)",
    "decoding": r"\(pixels\)|open_picture",
    "encoding": r"_encode|encode_|\(encoding\)",
    "drawing": r"annotate|heatmap|mask",
    "the rest": "",
}

STYLE = """
.ground { fill: #ffffff } .words { fill: #1b1f24 }
@media (prefers-color-scheme: dark) { .ground { fill: #14181d } .words { fill: #e8ebef } }
text { font: 11px ui-monospace, Menlo, Consolas, monospace } .title { font-size: 15px }
.name { fill: #14181d } rect.box { stroke: #14181d; stroke-opacity: .25; stroke-width: .5 }
"""


@dataclass
class Node:
    """A function on a stack: its name, its samples, those of what it calls among them."""

    name: str
    samples: int = 0
    calls: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True)
class Box:
    """A node with its place: ``start`` and ``samples`` are counted in samples."""

    stack: tuple[str, ...]
    start: int
    samples: int


def tree(folded: str) -> Node:
    """The calls of all stacks of a folded profile, below one root."""
    root = Node("all")
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        root.samples += int(count)
        node = root
        for name in stack.split(";"):
            node = node.calls.setdefault(name, Node(name))
            node.samples += int(count)
    return root


def boxes(node: Node, start: int = 0, above: tuple[str, ...] = ()) -> Iterator[Box]:
    """Each function's box: those that take most stand first among what one function calls."""
    for child in sorted(node.calls.values(), key=lambda each: -each.samples):
        stack = (*above, child.name)
        yield Box(stack, start, child.samples)
        yield from boxes(child, start, stack)
        start += child.samples


def part_of(stack: str) -> str:
    """The part of a check that a stack, joined by semicolons, belongs to."""
    return next(part for part, sign in PARTS.items() if re.search(sign, stack))


def drawn(folded: str, title: str) -> str:
    """The SVG of a profile; what the colours mean stands below its title."""
    root = tree(folded)
    every = [box for box in boxes(root) if WIDTH * box.samples / root.samples >= NARROWEST]
    parts = shares(folded)
    # a part has the same colour in every picture
    colours = dict(zip(PARTS, COLOURS, strict=False))
    depth = max(len(box.stack) for box in every)
    key = list(legend(parts, colours))
    top = HEAD + ROW * len(key) + MARGIN
    height = top + ROW * depth + MARGIN
    width = WIDTH + 2 * MARGIN
    text = ", ".join(f"{part} {share:.0%}" for part, share in parts.items())
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        ' aria-labelledby="title description">',
        f'<title id="title">{escape(title)}</title>',
        f'<desc id="description">{escape(f"Shares of {root.samples} samples: {text}.")}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{width}" height="{height}" rx="6"/>',
        f'<text class="words title" x="{MARGIN}" y="24">{escape(title)}</text>',
        *key,
        *(drawn_box(box, root.samples, height, colours) for box in every),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def shares(folded: str) -> dict[str, float]:
    """The share of each part in the samples, the largest first."""
    parts: dict[str, int] = {}
    for line in folded.splitlines():
        stack, _, count = line.rpartition(" ")
        parts[part_of(stack)] = parts.get(part_of(stack), 0) + int(count)
    total = sum(parts.values())
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    return {part: count / total for part, count in ordered}


def legend(parts: Mapping[str, float], colours: Mapping[str, str]) -> Iterator[str]:
    """What each colour means, in rows that fit the width."""
    x, row, line = float(MARGIN), 0, ""
    for part, share in parts.items():
        words = f"{part} {share:.0%}"
        wide = 18 + LETTER * len(words) + 18
        if x + wide > WIDTH and line:
            yield line
            x, row, line = float(MARGIN), row + 1, ""
        y = HEAD + ROW * row
        colour = colours.get(part, OTHER)
        line += f'<rect x="{x:.0f}" y="{y + 3}" width="12" height="12" rx="2" fill="{colour}"/>'
        line += f'<text class="words" x="{x + 17:.0f}" y="{y + 13}">{escape(words)}</text>'
        x += wide
    yield line


def drawn_box(box: Box, total: int, height: float, colours: Mapping[str, str]) -> str:
    """A box with its name, as much of it as fits, and a title of its own."""
    x, width = MARGIN + WIDTH * box.start / total, WIDTH * box.samples / total
    y = height - MARGIN - ROW * len(box.stack)
    name = box.stack[-1]
    letters = int((width - 6) / LETTER)
    shown = name if len(name) <= letters else f"{name[: max(letters - 1, 0)]}…"
    colour = colours.get(part_of(";".join(box.stack)), OTHER)
    label = f"{name}, {box.samples / total:.1%}"
    text = (
        f'<text class="name" x="{x + 3:.1f}" y="{y + 14}">{escape(shown)}</text>'
        if letters >= 3
        else ""
    )
    return (
        f"<g><title>{escape(label)}</title>"
        f'<rect class="box" x="{x:.1f}" y="{y}" width="{width:.1f}" height="{ROW - 1}"'
        f' rx="2" fill="{colour}"/>{text}</g>'
    )
