"""The command as a process, and what the docs say of it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unmask.cli.command import DOCS, ROOT, Command, run
from unmask.cli.command import _parser
from unmask.settings import Settings

# The process


def test_numpy_multiplies_on_one_thread_unless_told_otherwise() -> None:
    """Threads of a process that multiplied, of which Python itself started none."""
    code = """
import os
from unmask.commands import guarded
def run():
    import numpy
    numpy.ones((999, 999)) @ numpy.ones((999, 999))
    print(os.environ["OPENBLAS_NUM_THREADS"], len(os.listdir("/proc/self/task")))
    return 0
guarded(run)
"""
    own = {name: text for name, text in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    told = ["1 1"]
    if len(os.sched_getaffinity(0)) > 1:
        told.append("2 2")
    for settings, answer in zip(({}, {"OPENBLAS_NUM_THREADS": "2"}), told, strict=False):
        command = [sys.executable, "-c", code]
        environment = own | settings | {"PYTHONPATH": str(ROOT)}
        assert subprocess.check_output(command, env=environment, text=True).strip() == answer


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
        assert child.stdin is not None
        child.stdin.write(bytes(200_000))  # more than a pipe holds: now it reads its standard input
        child.stdin.flush()
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=120)
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
