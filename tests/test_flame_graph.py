"""A profile's samples as a picture: every box where its samples are, and words for those who cannot
see it."""

from __future__ import annotations

import pytest
from defusedxml import ElementTree

from benchmarks.flame_graph import WIDTH, Box, boxes, drawn, part_of, shares, tree

SVG = "{http://www.w3.org/2000/svg}"
FOLDED = """\
Examiner.examine (examiner);ClipJudge.judge (clip) 30
Examiner.examine (examiner);annotate (annotate);<lambda> & "more" (annotate) 9
Examiner.examine (examiner) 1
Detector._prepare (detector);FaceFinder.search (faces) 60
"""


def test_a_box_stands_above_what_calls_it() -> None:
    found = {box.stack[-1]: box for box in boxes(tree(FOLDED))}
    assert found["Detector._prepare (detector)"] == Box(("Detector._prepare (detector)",), 0, 60)
    caller, called = found["Examiner.examine (examiner)"], found["ClipJudge.judge (clip)"]
    assert (caller.start, caller.samples) == (60, 40)
    assert (called.start, called.samples, len(called.stack)) == (60, 30, 2)
    assert found["annotate (annotate)"].start == 90


def test_shares_add_up() -> None:
    assert shares(FOLDED) == {
        "the rest of the search, resizing": pytest.approx(0.6),
        "CLIP": pytest.approx(0.3),
        "drawing": pytest.approx(0.09),
        "the rest": pytest.approx(0.01),
    }
    assert part_of("Detector.examine (detector)") == "the rest"


def test_the_picture_has_words_and_all_boxes() -> None:
    picture = ElementTree.fromstring(drawn(FOLDED, "Samples <of> a test"))
    assert picture.get("role") == "img"
    title, description = picture.find(f"{SVG}title"), picture.find(f"{SVG}desc")
    assert title is not None and title.text == "Samples <of> a test"
    assert description is not None and "CLIP 30%" in (description.text or "")
    names = [group.findtext(f"{SVG}title") for group in picture.iter(f"{SVG}g")]
    assert len(names) == 6 and '<lambda> & "more" (annotate), 9.0%' in names
    rects = [group.find(f"{SVG}rect") for group in picture.iter(f"{SVG}g")]
    widths = [float(rect.get("width", 0)) for rect in rects if rect is not None]
    assert max(widths) == pytest.approx(0.6 * WIDTH)
