"""The command: what it takes, prints and writes, and that no input brings it down."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests import pictures
from unmask import __version__
from unmask.cli import check, main
from unmask.cli.command import _parser
from unmask.cli.sources import find_sources, name_results
from unmask.detector.align import Pixels
from unmask.detector.detector import Detector, Examination
from unmask.errors import UnmaskError
from unmask.images import Picture
from unmask.report import Report
from unmask.settings import Settings

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "command.md").read_text()
Run = tuple[int, str, str]


class Command:
    """Runs ``unmask`` in this process, with the colour model."""

    def __init__(self, model: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.model, self.capture = model, capture

    def __call__(self, *arguments: str | Path) -> Run:
        status = main([str(item) for item in arguments])
        shown = self.capture.readouterr()
        assert "Traceback" not in shown.out + shown.err
        return int(status), shown.out, shown.err

    def check(self, *arguments: str | Path) -> Run:
        return self("check", "--model", self.model, *arguments)

    def lines(self, *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
        status, out, err = self.check("--json", *arguments)
        assert err == ""
        return status, [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def unmask(colour_model: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(colour_model, capsys)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory, portrait: Pixels) -> Path:
    """A folder with one photo of each verdict."""
    folder = tmp_path_factory.mktemp("photos")
    save(folder / "fake.jpg", portrait)
    save(folder / "real.jpg", portrait[:, :, ::-1])
    save(folder / "unsure.png", cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY))
    save(folder / "no_face.png", np.full((120, 160, 3), 90, np.uint8))
    return folder


def save(path: Path, pixels: Pixels) -> None:
    bgr = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(path.suffix, bgr)
    assert done
    path.write_bytes(data.tobytes())


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs ``unmask`` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, "-m", "unmask", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment, timeout=60, check=False, **options
    )


# What is shown


@pytest.mark.parametrize(
    ("name", "row", "sentence"),
    [
        ("fake.jpg", r"1 +FAKE +FAKE 9\d % / REAL \d %", "The face shows signs of manipulation"),
        ("real.jpg", r"1 +REAL +FAKE \d % / REAL 9\d %", "No sign of manipulation was found"),
        ("unsure.png", r"1 +UNSURE +FAKE 50 % / REAL 50 %", "Unsure: "),
        ("no_face.png", None, "No face was found"),
    ],
)
def test_a_table_and_a_sentence(
    unmask: Command, photos: Path, name: str, row: str | None, sentence: str
) -> None:
    status, out, err = unmask.check(photos / name)
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == str(photos / name)
    assert any(line.startswith(sentence) for line in lines)
    assert bool(re.search(r"Face +Type +Probability", out)) == (row is not None)
    assert row is None or re.search(row, out)
    assert "\x1b" not in out
    assert "Written" not in out


def test_every_face_has_its_row(unmask: Command, tmp_path: Path, portrait: Pixels) -> None:
    save(tmp_path / "two.png", np.concatenate([portrait, portrait[:, :, ::-1]], axis=1))
    _, out, _ = unmask.check(tmp_path / "two.png")
    assert len(re.findall(r"^\d +(FAKE|REAL) ", out, re.MULTILINE)) == 2
    assert "At least one of the 2 faces shows signs of manipulation" in out


def test_json_is_one_report_a_line_in_the_order_given(unmask: Command, photos: Path) -> None:
    names = ["real.jpg", "fake.jpg", "no_face.png", "real.jpg", "unsure.png"]
    status, lines = unmask.lines(*(photos / name for name in names))
    assert status == 0
    assert [line.pop("file") for line in lines] == [str(photos / name) for name in names]
    reports = [Report.model_validate(line) for line in lines]
    assert [Path(name).stem for name in names] == [report.verdict for report in reports]
    assert reports[0].sha256 == reports[3].sha256
    assert reports[0].model.name == "colour"
    assert reports[0].pictures.annotated is None


def test_long_names_are_not_cut(unmask: Command, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("name" * 30)
    folder.mkdir(parents=True)
    (folder / "x.jpg").write_bytes((photos / "fake.jpg").read_bytes())
    _, out, _ = unmask.check(folder / "x.jpg", folder / "y.jpg")
    assert out.splitlines()[0] == str(folder / "x.jpg")


def test_a_name_cannot_steer_the_terminal(unmask: Command, photos: Path, tmp_path: Path) -> None:
    for name in ("evil\x1b[31m\nline.jpg", "[red]markup[blink].jpg", "no\udcff.jpg"):
        (tmp_path / name).write_bytes((photos / "fake.jpg").read_bytes())
    (tmp_path / "empty\x1b[2J.jpg").touch()
    status, out, err = unmask.check(tmp_path)
    assert status == 1
    assert "\x1b" not in out + err
    assert r"evil\x1b[31m\nline.jpg" in out
    assert "[red]markup[blink].jpg" in out
    assert r"no\udcff.jpg" in out
    assert len(err.splitlines()) == 1
    _, lines = unmask.lines(tmp_path)
    assert [os.fsencode(line["file"]) for line in lines] == sorted(
        os.fsencode(path) for path in tmp_path.iterdir()
    )


# Bad input


def bad_files(folder: Path, photo: bytes) -> dict[str, str]:
    """Every kind of bad file, in ``folder``; returns the error that each deserves."""
    narrow = io.BytesIO()
    pictures.corners(64, 1).save(narrow, "PNG")
    files = {
        "00_empty.jpg": (b"", "empty_file"),
        "01_text.jpg": (b"hello, I am no picture", "not_a_picture"),
        "02_truncated.jpg": (photo[: len(photo) // 2], "truncated"),
        "03_zip.gif": (pictures.gif(40, 40) + pictures.archive(), "polyglot"),
        "05_huge.bmp": (pictures.claiming("BMP", 60_000, 60_000), "too_many_pixels"),
        "06_one_row.png": (narrow.getvalue(), "bad_dimensions"),
        "07_note.txt": (b"remember the milk", "not_a_picture"),
        "08_noextension": (b"\x7fELF" + bytes(200), "not_a_picture"),
        "09_too_large.jpg": (photo + bytes(200_000), "too_many_bytes"),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    (folder / "10_dead_link.jpg").symlink_to("nowhere.jpg")
    os.mkfifo(folder / "11_pipe.jpg")
    (folder / "12_folder.jpg").mkdir()
    (folder / ".hidden.jpg").touch()
    codes = {name: code for name, (_, code) in files.items()}
    return {**codes, "10_dead_link.jpg": "file_not_found", "11_pipe.jpg": "file_unreadable"}


@pytest.fixture
def mixed(
    tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, dict[str, str]]:
    """A folder of bad files with two good ones between them, and the bad ones' codes."""
    photo = (photos / "fake.jpg").read_bytes()
    monkeypatch.setenv("UNMASK_MAX_BYTES", str(len(photo) + 100_000))
    codes = bad_files(tmp_path, photo)
    for name in ("04_good.jpg", "99_good.jpg"):
        (tmp_path / name).write_bytes(photo)
    return tmp_path, codes


def test_a_folder_of_bad_files_gives_one_line_each(
    unmask: Command, mixed: tuple[Path, dict[str, str]]
) -> None:
    folder, codes = mixed
    status, out, err = unmask.check(folder)
    assert status == 1
    found = [re.fullmatch(r"(.+?): error: (.+) \[(\w+)\]", line) for line in err.splitlines()]
    assert {Path(hit[1]).name: hit[3] for hit in found if hit} == codes
    assert len(found) == len(codes)
    assert out.count("The face shows signs of manipulation") == 2


def test_bad_files_have_their_line_of_json_in_its_place(
    unmask: Command, mixed: tuple[Path, dict[str, str]]
) -> None:
    folder, codes = mixed
    status, lines = unmask.lines(folder)
    assert status == 1
    said = {Path(line["file"]).name: line.get("error", {}).get("code") for line in lines}
    assert said == {**codes, "04_good.jpg": None, "99_good.jpg": None}
    assert list(said) == sorted(said)
    for line in lines:
        if "error" in line:
            assert set(line) == {"file", "error"}
            assert set(line["error"]) == {"code", "message", "detail"}


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("nowhere.jpg", "file_not_found"),
        ("nowhere/x.jpg", "file_not_found"),
        ("*.jpg", "file_not_found"),
        ("**/[ab].png", "file_not_found"),
        ("", "file_not_found"),
        ("empty", "file_not_found"),
        ("zero\0byte.jpg", "file_not_found"),
        ("n" * 5000, "file_unreadable"),
        ("/dev/null", "file_unreadable"),
    ],
)
def test_arguments_that_name_nothing(
    *,
    unmask: Command,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    argument: str,
    code: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    status, lines = unmask.lines(argument, photos / "fake.jpg")
    assert status == 1
    assert lines[0]["file"] == argument
    assert lines[0]["error"]["code"] == code
    assert lines[1]["verdict"] == "fake"


def failing_for(sha256: str) -> Any:
    """Detector.examine, but with an unforeseen fault for one picture."""
    examine = Detector.examine

    def examine_or_fail(
        self: Detector, batch: Sequence[Picture]
    ) -> list[Examination | UnmaskError]:
        if any(picture.sha256 == sha256 for picture in batch):
            raise RuntimeError("out of luck\nand of memory")
        return examine(self, batch)

    return examine_or_fail


def test_an_unforeseen_fault_costs_its_own_picture_only(
    unmask: Command,
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _, lines = unmask.lines(photos / "real.jpg")
    monkeypatch.setattr(Detector, "examine", failing_for(lines[0]["sha256"]))
    names = ("fake.jpg", "real.jpg", "unsure.png")
    status, out, err = unmask.check(*(photos / name for name in names))
    assert status == 1
    assert out.count("Probability") == 2
    assert len(err.splitlines()) == 1
    assert "out of luck and of memory" in err
    assert "[internal]" in err
    assert "out of luck" in caplog.text


def test_a_fault_in_drawing_costs_its_own_picture_only(
    unmask: Command, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Pixels) -> bytes:
        raise MemoryError

    monkeypatch.setattr(check, "encode_jpeg", fail)
    status, lines = unmask.lines("--out", tmp_path, photos / "fake.jpg", tmp_path / "x.jpg")
    assert status == 1
    assert [line["error"]["code"] for line in lines] == ["internal", "file_not_found"]


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
    outcomes = check.check_all(sources, Detector(settings), settings)
    source, outcome = next(outcomes)
    assert source is sources[0]
    assert isinstance(outcome, Report)
    outcomes.close()


# The model, settings and faults of the whole command


def test_model_prints_the_manifest(unmask: Command, colour_model: Path) -> None:
    for path in (colour_model, colour_model.parent):
        status, out, err = unmask("model", "--model", path)
        assert (status, err) == (0, "")
        assert json.loads(out) == json.loads(colour_model.read_text())


def test_the_model_may_be_named_by_the_environment(
    unmask: Command, colour_model: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNMASK_MODEL", str(colour_model.parent))
    assert json.loads(unmask("model")[1])["name"] == "colour"
    assert unmask("check", photos / "no_face.png")[0] == 0


def broken_models(folder: Path, good: Path) -> dict[str, tuple[Path, str]]:
    """Manifests that no detector can be made from, and the error each deserves."""
    manifest = json.loads(good.read_text())
    junk = b"not a network"
    (folder / "junk.onnx").write_bytes(junk)
    (folder / "text.json").write_text("hello")
    (folder / "other.json").write_text("{}")
    (folder / "no_file.json").write_text(json.dumps({**manifest, "file": "gone.onnx"}))
    (folder / "mismatch.json").write_text(json.dumps({**manifest, "file": "junk.onnx"}))
    digest = hashlib.sha256(junk).hexdigest()
    junk_manifest = {**manifest, "file": "junk.onnx", "sha256": digest}
    (folder / "junk.json").write_text(json.dumps(junk_manifest))
    return {
        "nowhere": (folder / "nowhere", "model_missing"),
        "folder without one": (folder, "model_missing"),
        "text": (folder / "text.json", "model_mismatch"),
        "not a manifest": (folder / "other.json", "model_mismatch"),
        "file missing": (folder / "no_file.json", "model_missing"),
        "file of another model": (folder / "mismatch.json", "model_mismatch"),
        "file is no network": (folder / "junk.json", "model_mismatch"),
    }


def test_a_broken_model_is_one_line_and_status_2(
    unmask: Command, colour_model: Path, photos: Path, tmp_path: Path
) -> None:
    for path, code in broken_models(tmp_path, colour_model).values():
        status, out, err = unmask("check", "--model", path, photos / "fake.jpg")
        assert (status, out) == (2, "")
        assert re.fullmatch(r"unmask: error: .+\n", err), path
        status, out, err = unmask("check", "--json", "--model", path, photos / "fake.jpg")
        assert (status, err) == (2, "")
        assert json.loads(out)["error"]["code"] == code, path


@pytest.mark.parametrize("path", ["nowhere.json", "text.json"])
def test_a_manifest_that_cannot_be_printed(unmask: Command, tmp_path: Path, path: str) -> None:
    (tmp_path / "text.json").write_bytes(b"\xff\xfe hello")
    status, out, err = unmask("model", "--model", tmp_path / path)
    assert (status, out) == (2, "")
    assert re.fullmatch(r"unmask: error: .+\n", err)


def test_an_out_folder_that_cannot_be_made(unmask: Command, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        status, shown, err = unmask.check("--out", out, photos / "fake.jpg")
        assert (status, shown) == (2, "")
        assert re.fullmatch(r"unmask: error: The folder .+ cannot be made: .+\n", err)
        _, lines = unmask.lines("--out", out, photos / "fake.jpg")
        assert lines[0]["error"]["code"] == "output_unwritable"


def test_an_invalid_setting_is_named(unmask: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNMASK_BATCH_SIZE", "many")
    monkeypatch.setenv("UNMASK_THREADS", "-1")
    status, out, err = unmask("check", "x.jpg")
    assert (status, out) == (2, "")
    assert re.fullmatch(r"unmask: error: .*UNMASK_BATCH_SIZE=many: .*UNMASK_THREADS=-1: .+\n", err)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["check"],
        ["check", "--threshold", "1.01", "x.jpg"],
        ["check", "--threshold", "-0.1", "x.jpg"],
        ["check", "--threshold", "nan", "x.jpg"],
        ["check", "--threshold", "half", "x.jpg"],
        ["check", "--colour", "x.jpg"],
        ["model", "extra"],
    ],
)
def test_wrong_usage_exits_with_2(unmask: Command, arguments: list[str]) -> None:
    status, out, err = unmask(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: unmask")


def test_version(unmask: Command) -> None:
    assert unmask("--version") == (0, f"unmask {__version__}\n", "")


def test_an_unforeseen_fault_of_the_command_is_one_line(
    unmask: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("whatever")

    monkeypatch.setattr(check, "find_sources", fail)
    status, out, err = unmask.check(photos / "fake.jpg")
    assert (status, out) == (1, "")
    assert re.fullmatch(r"unmask: error: .+RuntimeError: whatever.+\n", err)


# The process


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_a_reader_that_leaves_is_no_fault(
    colour_model: Path, photos: Path, form: list[str]
) -> None:
    arguments = ["check", *form, "--model", str(colour_model), *[str(photos / "no_face.png")] * 3]
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        ended = subprocess.run(
            [sys.executable, "-m", "unmask", *arguments],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "UNMASK_BATCH_SIZE": "1"},
            timeout=60,
            check=False,
        )
    assert ended.stderr == b""
    assert ended.returncode == 141


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is heard: a shell lets what it starts in the background ignore it, this run too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard")
def test_ctrl_c_is_quiet(colour_model: Path) -> None:
    command = [sys.executable, "-m", "unmask", "check", "--model", str(colour_model), "-"]
    pipe = subprocess.PIPE
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as child:
        time.sleep(1.5)  # by now it waits for its standard input
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert (child.returncode, out, err) == (130, b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_one_line(colour_model: Path, photos: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "unmask", "check", "--model", colour_model, photos / "fake.jpg"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=60,
            check=False,
        )
    assert ended.returncode == 1
    assert re.fullmatch(r"unmask: error: The output cannot be written: .+\n", ended.stderr)


def test_any_encoding_of_the_terminal_will_do(colour_model: Path, tmp_path: Path) -> None:
    ended = run(
        "check", "--model", colour_model, tmp_path / "grüße.jpg", env={"PYTHONIOENCODING": "ascii"}
    )
    assert ended.returncode == 1
    assert r"gr\xfc\xdfe.jpg: error: There is no file" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["model"]])
def test_what_needs_no_detector_loads_none(colour_model: Path, arguments: list[str]) -> None:
    script = (
        "import sys; from unmask.cli import main; main(sys.argv[1:]); "
        "heavy = {'cv2', 'onnxruntime', 'numpy', 'PIL'} & set(sys.modules); "
        "sys.exit(' '.join(heavy) or 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "UNMASK_MODEL": str(colour_model)},
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_progress_bar_only_on_a_terminal(unmask: Command, photos: Path) -> None:
    _, out, err = unmask.check(*[photos / "no_face.png"] * 12)
    assert err == ""
    assert out.count("No face was found") == 12


def test_a_progress_bar_for_many_on_a_terminal(
    unmask: Command, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    monkeypatch.setenv("TERM", "xterm")
    _, out, err = unmask.check(*[photos / "no_face.png"] * 12)
    assert "Checking" in err
    assert (out + err).count("No face was found") == 12
    _, out, err = unmask.check(photos / "no_face.png")
    assert "Checking" not in out + err


# The docs


def test_the_docs_name_every_option_and_exit_status() -> None:
    options = set(re.findall(r"--[a-z]+", _parser().format_help()))
    for command in ("check", "model"):
        shown = run(command, "--help").stdout
        options |= set(re.findall(r"--[a-z]+", shown))
    assert options - {"--help"} <= set(re.findall(r"--[a-z]+", DOCS))
    for status in ("0", "1", "2", "130", "141"):
        assert f"| {status} |" in DOCS


def test_the_docs_list_the_settings_of_a_check() -> None:
    listed = re.findall(r"^\| `UNMASK_(\w+)` \| (.+?) \|", DOCS, re.MULTILINE)
    assert len(listed) >= 8
    for name, default in listed:
        value = Settings.model_fields[name.lower()].default
        shown = value.name if isinstance(value, Path) else f"{value}"
        assert shown in default.replace(",", "").replace("`", ""), name
