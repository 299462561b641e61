"""Where pictures come from, what is written, and how they share batches."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.unmask.cli.command import Command
from unmask.cli import check
from unmask.cli.sources import find_sources, name_results
from unmask.detector.detector import Detector
from unmask.detector.examination import Examination
from unmask.errors import UnmaskError
from unmask.evidence.collect import Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.images import Picture
from unmask.report import Report
from unmask.settings import Settings

# Where pictures come from


def test_standard_input_is_read_once(
    unmask: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.BytesIO((photos / "fake.jpg").read_bytes())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    status, lines = unmask.lines("-", photos / "real.jpg", "-")
    assert status == 1
    assert [line["file"] for line in lines] == ["-", str(photos / "real.jpg"), "-"]
    assert lines[0]["verdict"] == "fake"
    assert lines[2]["error"]["code"] == "file_unreadable"


def test_standard_input_has_the_byte_limit(
    unmask: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.BytesIO((photos / "fake.jpg").read_bytes() * 3)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(data))
    monkeypatch.setenv("UNMASK_MAX_BYTES", "1000")
    _, lines = unmask.lines("-")
    assert lines[0]["error"]["code"] == "too_many_bytes"
    assert data.tell() < 70_000  # what its buffer took, not all of it


def test_a_data_url_is_a_picture(
    unmask: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "data:image/jpeg;base64," + base64.b64encode((photos / "fake.jpg").read_bytes()).decode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{url}\n".encode())))
    status, lines = unmask.lines(url, "-", "data:image/png;base64,x", "--out", tmp_path)
    assert status == 1
    assert [line.get("verdict") for line in lines] == ["fake", "fake", None]
    assert lines[2]["error"]["code"] == "bad_url"
    assert len(lines[0]["file"]) < 40
    assert (tmp_path / "data.mask.png").is_file() and (tmp_path / "stdin.mask.png").is_file()


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        (".", ["a/1.jpg", "a/b/2.png", "a/note", "c.gif", "x[1].jpg"]),
        ("a", ["a/1.jpg", "a/b/2.png", "a/note"]),
        ("*.gif", ["c.gif"]),
        ("a/*", ["a/1.jpg", "a/note"]),
        ("**/*.[jp][pn]g", ["a/1.jpg", "a/b/2.png", "x[1].jpg"]),
        ("x[1].jpg", ["x[1].jpg"]),
        ("./c.gif", ["./c.gif"]),
    ],
)
def test_folders_and_patterns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, expected: list[str]
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    for name in ("a/1.jpg", "a/b/2.png", "a/note", "a/.git/x", ".d.jpg", "c.gif", "x[1].jpg"):
        (tmp_path / name).touch()
    (tmp_path / "a" / "loop").symlink_to("..")
    monkeypatch.chdir(tmp_path)
    assert [source.name for source in find_sources([argument])] == expected


# What is written


def test_results_are_written_and_named(unmask: Command, photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    status, lines = unmask.lines("--out", out, photos)
    assert status == 0
    kinds = {"annotated": "annotated.jpg", "mask": "mask.png", "heatmap": "heatmap.png"}
    for line in lines:
        name = Path(line["file"]).stem
        assert line["pictures"] == {
            kind: str(out / f"{name}.{suffix}") for kind, suffix in kinds.items()
        }
        size = (line["image"]["height"], line["image"]["width"])
        for kind, path in line["pictures"].items():
            pixels = cv2.imread(path, cv2.IMREAD_UNCHANGED)
            assert pixels is not None
            assert pixels.shape == (size if kind != "annotated" else (*size, 3))
        mask = cv2.imread(line["pictures"]["mask"], cv2.IMREAD_UNCHANGED)
        assert set(np.unique(mask)) <= {0, 255}
        assert mask.any() == (line["verdict"] == "fake")
        assert line["timings_ms"]["draw"] > 1
    assert len(list(out.iterdir())) == 3 * len(lines)


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a/x.jpg", "b/x.jpg", "x.png"], ["x", "x-2", "x-3"]),
        (["x-2.jpg", "x.jpg", "a/x.jpg"], ["x-2", "x", "x-3"]),
        (["x.jpg", "a/X.JPG"], ["x", "X-2"]),
        (["x.jpg", "x.jpg"], ["x", "x-2"]),
        (["-", "stdin.png"], ["stdin", "stdin-2"]),
        (["nope*.jpg", "-"], ["", "stdin"]),
        (["x.jpg", "out/x.annotated.jpg"], ["x-2", "x.annotated"]),
        (["x.jpg", "OUT/X.MASK.png"], ["x-2", "X.MASK"]),
        ([".jpg", "a.b.jpg"], [".jpg", "a.b"]),
        (["é" * 250 + ".jpg"], ["é" * 100]),
    ],
)
def test_no_result_overwrites_another_nor_a_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], stems: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert name_results(find_sources(names), Path("out")) == stems


def test_a_batch_is_shown_while_the_next_one_is_examined(photos: Path) -> None:
    """The second batch ends only once the first was shown."""
    settings = Settings(batch_size=1)
    shown = threading.Event()

    class Slow:
        batches = 0

        def examine(self, pictures: Sequence[Picture]) -> list[UnmaskError]:
            self.batches += 1
            if self.batches == 2 and not shown.wait(60):
                return [UnmaskError("internal", "the first batch was not shown")]
            return [UnmaskError("damaged", "as the stand-in has it") for _ in pictures]

    sources = find_sources([str(photos / "fake.jpg"), str(photos / "real.jpg")])
    codes = []
    collector = Collector(CredentialsReader())
    for _, outcome in check.check_all(sources, Slow(), collector, settings):  # type: ignore[arg-type]
        assert isinstance(outcome, UnmaskError)
        codes.append(outcome.code)
        shown.set()
    assert codes == ["damaged", "damaged"]


def test_results_of_an_earlier_run_are_not_checked(
    unmask: Command, photos: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.jpg").write_bytes((photos / "fake.jpg").read_bytes())
    for _ in range(2):
        _, lines = unmask.lines("--out", tmp_path, tmp_path)
        assert [Path(line["file"]).name for line in lines] == ["x.jpg"]
    assert len(list(tmp_path.iterdir())) == 4


def test_a_result_that_cannot_be_written(unmask: Command, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "fake.mask.png").mkdir()
    names = photos / "fake.jpg", photos / "real.jpg"
    status, lines = unmask.lines("--out", tmp_path, *names)
    assert status == 1
    assert lines[0]["error"]["code"] == "output_unwritable"
    assert lines[1]["verdict"] == "real"


def test_the_threshold_bounds_the_mask(unmask: Command, photos: Path, tmp_path: Path) -> None:
    marked = {}
    for threshold in ("0.05", "0.95"):
        args = ("--threshold", threshold, "--out", tmp_path, photos / "fake.jpg")
        _, lines = unmask.lines(*args)
        assert lines[0]["threshold"] == float(threshold)
        marked[threshold] = int((cv2.imread(lines[0]["pictures"]["mask"], 0) > 0).sum())
    assert marked["0.05"] > marked["0.95"] > 0


# Batches


def test_photos_share_batches_and_memory_is_bounded(
    unmask: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    examine = Detector.examine

    def counted(self: Detector, batch: Sequence[Picture]) -> list[Examination | UnmaskError]:
        batches.append(len(batch))
        return examine(self, batch)

    monkeypatch.setattr(Detector, "examine", counted)
    monkeypatch.setenv("UNMASK_BATCH_SIZE", "2")
    status, lines = unmask.lines(*[photos / "no_face.png"] * 5)
    assert (status, len(lines)) == (0, 5)
    assert batches == [2, 2, 1]


def test_outcomes_come_as_soon_as_their_batch_is_done(colour_model: Path, photos: Path) -> None:
    settings = Settings(model=colour_model, batch_size=1)
    sources = find_sources([str(photos / "no_face.png"), "later.jpg"])
    collector = Collector(CredentialsReader())
    outcomes = check.check_all(sources, Detector(settings), collector, settings)
    source, outcome = next(outcomes)
    assert source is sources[0]
    assert isinstance(outcome, Report)
    outcomes.close()


# Layers


def test_layers_are_written_where_they_are_asked_for(
    unmask: Command, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    status, _ = unmask.lines(photos / "fake.jpg", "--out", out)
    assert status == 0
    assert not list(out.glob("*.noise.png"))
    status, _ = unmask.lines(photos / "fake.jpg", "--out", out, "--layers")
    assert status == 0
    shape = cv2.imread(str(photos / "fake.jpg")).shape[:2]
    for name in ("error-levels", "ghosts", "noise"):
        layer = cv2.imread(str(out / f"fake.{name}.png"), cv2.IMREAD_UNCHANGED)
        assert layer.shape == shape
    assert find_sources([str(out)], out)[0].error, "layers are no photos to check"


def test_layers_need_a_folder(unmask: Command, photos: Path) -> None:
    status, _, err = unmask.check(photos / "fake.jpg", "--layers")
    assert status == 2 and "--layers needs --out" in err
