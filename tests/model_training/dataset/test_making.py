"""Fakes made to train on: what stands in their folder, by stand-ins for the networks."""

from __future__ import annotations

import csv
import hashlib
import sys
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset.data import read_dataset
from model_training.dataset.landmarks import read_pixels
from model_training.dataset.making import mobilestylegan, taef2
from model_training.dataset.making.autoencoded import make_autoencoded
from model_training.dataset.making.fakes import Fake, split_of_group, write_fakes
from model_training.dataset.making.mobilestylegan import Generator, load_generator, make_faces
from model_training.dataset.making.packages import known_file
from model_training.dataset.making.taef2 import load_network, passed_through
from tests.model_training.faces import write_dataset

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
HEADER = "file,split,label,kind,source,group,mask,parts,width,height,twin"


def stand_in() -> Generator:
    """Draws grey squares, as light as the style's first number says."""

    def synthesis(style: Floats) -> Floats:
        return np.broadcast_to(np.tanh(style[0, 0]), (1, 3, 512, 512))

    return Generator(lambda noise: noise, synthesis)


def darker(pixels: Pixels) -> Pixels:
    return pixels // 2


def contents(out: Path) -> dict[str, bytes]:
    """All that lies in a folder."""
    found = (path for path in out.rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def records(out: Path) -> list[dict[str, str]]:
    with (out / "faces.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def plain(name: str, level: int = 128, group: str = "g") -> Fake:
    def make() -> Pixels:
        return np.full((8, 12, 3), level, np.uint8)

    return Fake(f"images/{name}.jpg", "train", "stylegan", "plain", group, make)


def test_faces_are_a_data_set(tmp_path: Path) -> None:
    assert make_faces(stand_in(), 3, 7, tmp_path) == 3
    assert (tmp_path / "faces.csv").read_text().splitlines()[0] == HEADER
    rows = read_dataset(tmp_path)
    assert [row.name for row in rows] == [
        f"images/mobilestylegan/fake/7-0000{number}.jpg" for number in range(3)
    ]
    assert {(row.label, row.kind, row.source, row.twin) for row in rows} == {
        (1, "mobilestylegan", "mobilestylegan", "")
    }
    assert [row.split for row in rows] == [split_of_group(row.group) for row in rows]
    assert len({row.group for row in rows}) == 3
    assert read_pixels(rows[0].path).shape == (256, 256, 3)
    assert records(tmp_path)[0]["width"] == records(tmp_path)[0]["height"] == "256"


def test_one_seed_gives_the_same_faces_and_another_others(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        make_faces(stand_in(), 3, seed, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "again")
    pictures = [
        read_pixels(row.path) for name in ("one", "two") for row in read_dataset(tmp_path / name)
    ]
    assert len({picture.tobytes() for picture in pictures}) == 6


def test_a_larger_count_adds_to_a_smaller_one(tmp_path: Path) -> None:
    assert make_faces(stand_in(), 2, 1, tmp_path / "grown") == 2
    assert make_faces(stand_in(), 4, 1, tmp_path / "grown") == 2
    make_faces(stand_in(), 4, 1, tmp_path / "whole")
    assert contents(tmp_path / "grown") == contents(tmp_path / "whole")


def test_a_folder_keeps_the_fakes_of_several_seeds(tmp_path: Path) -> None:
    make_faces(stand_in(), 3, 1, tmp_path)
    make_faces(stand_in(), 2, 2, tmp_path)
    make_faces(stand_in(), 1, 1, tmp_path)
    assert len(read_dataset(tmp_path)) == 5


def test_styles_are_pulled_towards_their_mean() -> None:
    seen: list[float] = []

    def synthesis(style: Floats) -> Floats:
        seen.append(float(style[0, 0]))
        return np.zeros((1, 3, 256, 256), np.float32)

    # every style is 10 but the one of the face, 30
    answers = iter([10.0] * mobilestylegan.STYLES_FOR_MEAN)
    generator = Generator(lambda _: np.full((1, 512), next(answers, 30.0), np.float32), synthesis)
    assert generator.mean_style.shape == (1, 512)
    for number in range(50):
        generator.face(1, number)
    assert 20 <= min(seen) < 22
    assert 28 < max(seen) <= 30


def test_a_face_is_scaled_by_the_mean_of_its_pixels() -> None:
    def synthesis(_: Floats) -> Floats:
        image = np.full((1, 3, 512, 512), -1.0, np.float32)
        image[0, 0, ::2] = 3.0  # cut off at 1, in red
        return image

    face = Generator(lambda noise: noise, synthesis).face(1, 0)
    assert set(np.unique(face[:, :, 0])) <= {127, 128}
    assert not face[:, :, 1:].any()


def test_the_splits_of_groups() -> None:
    counts = Counter(split_of_group(f"group {number}") for number in range(5000))
    assert {name: round(count / 50) for name, count in counts.items()} == {
        "train": pytest.approx(80, abs=2),
        "val": pytest.approx(8, abs=2),
        "test": pytest.approx(12, abs=2),
    }


@pytest.fixture
def photographs(tmp_path: Path, portrait: Pixels) -> list[Path]:
    """Two folders of four photographs each, of train and val."""
    return [write_dataset(tmp_path / name, portrait, each=2) for name in ("first", "second")]


def test_a_passed_photograph_names_its_twin(tmp_path: Path, photographs: list[Path]) -> None:
    out = tmp_path / "out"
    assert make_autoencoded(darker, photographs, 8, 1, out) == 8
    originals = {row.name: row for row in read_dataset(photographs)}
    rows = read_dataset(out)
    assert {row.twin for row in rows} == {n for n, row in originals.items() if not row.label}
    for row in rows:
        photograph = originals[row.twin]
        assert (row.split, row.group) == (photograph.split, photograph.group)
        assert (row.label, row.kind, row.source) == (1, "autoencoded", "taef2")
        before, after = (read_pixels(each.path).astype(int) for each in (photograph, row))
        assert before.shape == after.shape
        assert abs(after - before // 2).mean() < 4
    read_dataset([*photographs, out])  # no group stands in two splits


def test_a_twin_begins_with_its_folder_where_there_is_one(
    tmp_path: Path, photographs: list[Path]
) -> None:
    make_autoencoded(darker, photographs[:1], 1, 1, tmp_path / "out")
    (row,) = read_dataset(tmp_path / "out")
    together = {each.name: each for each in read_dataset([photographs[0], tmp_path / "out"])}
    assert together[row.twin].label == 0


def test_the_seed_draws_the_photographs(tmp_path: Path, photographs: list[Path]) -> None:
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        make_autoencoded(darker, photographs, 3, seed, tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "again")
    assert contents(tmp_path / "one").keys() != contents(tmp_path / "two").keys()
    make_autoencoded(darker, photographs, 4, 1, tmp_path / "one")
    assert len(read_dataset(tmp_path / "one")) == 4


def test_too_few_photographs(tmp_path: Path, photographs: list[Path]) -> None:
    with pytest.raises(ValueError, match="9 photographs are asked for, but the data holds 8"):
        make_autoencoded(darker, photographs, 9, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_photographs_folder_stays_as_it_is(tmp_path: Path, photographs: list[Path]) -> None:
    with pytest.raises(ValueError, match="folder of their own"):
        make_autoencoded(darker, photographs, 1, 1, tmp_path / "out" / ".." / "second")


def test_what_was_made_before_a_fault_is_kept(tmp_path: Path) -> None:
    def broken() -> Pixels:
        raise ValueError("no memory")

    fault = Fake("images/b.jpg", "train", "stylegan", "plain", "b", broken)
    with pytest.raises(ValueError, match="no memory"):
        write_fakes([plain("a"), fault, plain("c")], tmp_path)
    assert [row.name for row in read_dataset(tmp_path)] == ["images/a.jpg"]
    assert write_fakes([plain("a", 0), plain("b"), plain("c")], tmp_path) == 2
    assert len(read_dataset(tmp_path)) == 3
    assert read_pixels(tmp_path / "images/a.jpg").mean() > 100  # not made again
    assert records(tmp_path)[0]["width"] == "12"
    assert not list(tmp_path.rglob("*.part"))


def test_a_lost_faces_csv_is_written_again(tmp_path: Path) -> None:
    write_fakes([plain("a"), plain("b")], tmp_path)
    before = contents(tmp_path)
    (tmp_path / "faces.csv").unlink()
    assert write_fakes([plain("a"), plain("b")], tmp_path) == 0
    assert contents(tmp_path) == before


def test_another_data_sets_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "faces.csv").write_text("file,split,label,camera\n")
    with pytest.raises(ValueError, match="other columns"):
        write_fakes([plain("a")], tmp_path)
    assert list(contents(tmp_path)) == ["faces.csv"]


def test_a_broken_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"half")
    with pytest.raises(ValueError, match=r"a\.jpg cannot be decoded"):
        write_fakes([plain("a")], tmp_path)


def test_the_autoencoder_takes_pictures_of_any_size() -> None:
    shapes = []

    def network(planes: Floats) -> Floats:
        shapes.append(planes.shape)
        assert 0 <= planes.min() < planes.max() <= 1
        return planes * 2

    pixels = np.random.default_rng(0).integers(0, 256, (21, 32, 3), np.uint8)
    shown = passed_through(network, pixels)
    assert shapes == [(1, 3, 24, 32)]
    np.testing.assert_array_equal(shown, np.minimum(pixels.astype(int) * 2, 255))


def package(folder: Path) -> Path:
    """A folder like the package's, with nothing in its files."""
    (folder / "random_face" / "data").mkdir(parents=True)
    for name in mobilestylegan.FILES:
        (folder / "random_face" / "data" / name).write_bytes(name.encode())
    return folder


def zipped(folder: Path, wheel: Path) -> Path:
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder))
    return wheel


def test_files_are_found_in_a_folder_and_in_a_wheel(tmp_path: Path) -> None:
    folder = package(tmp_path / "site-packages")
    wheel = zipped(folder, tmp_path / "random_face.whl")
    name = "MappingNetwork.xml"
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    for source in (folder, folder / "random_face", wheel):
        assert known_file(source, name, sha256) == name.encode()


def test_another_package_is_refused(tmp_path: Path) -> None:
    folder = package(tmp_path / "site-packages")
    wheel = zipped(folder, tmp_path / "random_face.whl")
    for source in (folder, wheel):
        with pytest.raises(ValueError, match="is not the known one"):
            load_generator(source)
    (folder / "random_face" / "data" / "MappingNetwork.xml").unlink()
    with pytest.raises(ValueError, match=r"holds no MappingNetwork\.xml"):
        load_generator(folder)
    with pytest.raises(ValueError, match=r"holds no taef2_encoder\.pth"):
        load_network(folder)
    with pytest.raises(ValueError, match="neither a folder nor a wheel"):
        load_generator(tmp_path / "gone.whl")
    wheel.write_bytes(b"no archive")
    with pytest.raises(ValueError, match="is no wheel"):
        load_generator(wheel)


@pytest.mark.parametrize(
    ("module", "load", "needed"),
    [(mobilestylegan, load_generator, "openvino"), (taef2, load_network, "torch")],
)
def test_a_missing_run_time_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: object, load: object, needed: str
) -> None:
    monkeypatch.setattr(module, "known_file", lambda *_: b"")
    monkeypatch.setitem(sys.modules, needed, None)
    with pytest.raises(ValueError, match=f'{needed} is not installed; the extra "make"'):
        load(tmp_path)  # type: ignore[operator]
