"""The model, the settings and the faults of the whole command."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.unmask.cli.command import Command
from unmask import __version__
from unmask.cli import check


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
    status, out, err = unmask("check", "--json", "x.jpg")
    assert (status, err) == (2, "")
    assert json.loads(out)["error"]["code"] == "bad_request" and "UNMASK_BATCH_SIZE" in out


@pytest.mark.parametrize("name", ["REDIS_URL", "UNMASK_REDIS_URL"])
def test_a_redis_without_a_scheme_is_an_invalid_setting(
    unmask: Command, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "localhost:6379")
    status, _, err = unmask("keys", "list")
    assert status == 2
    assert re.fullmatch(r"unmask: error: .*REDIS_URL=localhost:6379: .*redis://.+\n", err)


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
