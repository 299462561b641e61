"""Labelled pictures, in the form of a manifest and in that of the Kaggle archive."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from model_training.dataset import landmarks as searching
from model_training.dataset.data import Row, of_split, read_dataset, split_of, write_splits
from model_training.dataset.landmarks import landmarks_of, read_pixels
from tests.model_training.faces import head, write_picture

Pixels = npt.NDArray[np.uint8]
KAGGLE = "real_vs_fake/real-vs-fake"


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def manifest(folder: Path, *lines: str) -> Path:
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    return folder


def seen(rows: list[Row]) -> list[tuple[str, str, int]]:
    return [(row.name, row.split, row.label) for row in rows]


@pytest.mark.parametrize("root", ["", f"{KAGGLE}/", "a/b/c/"])
def test_folders_at_any_depth(tmp_path: Path, root: str) -> None:
    names = ("test/fake/b.JPG", "train/fake/2.jpeg", "train/real/1.png", "valid/real/x.webp")
    touch(tmp_path, *(root + name for name in names))
    assert seen(read_dataset(tmp_path)) == [
        (f"{root}test/fake/b.JPG", "test", 1),
        (f"{root}train/fake/2.jpeg", "train", 1),
        (f"{root}train/real/1.png", "train", 0),
        (f"{root}valid/real/x.webp", "val", 0),
    ]


def test_csv_files_and_other_folders_beside_it_are_not_read(tmp_path: Path) -> None:
    touch(tmp_path, "train.csv", "valid.csv", f"{KAGGLE}/train/real/1.jpg")
    touch(tmp_path, f"{KAGGLE}/train/real/Thumbs.db", f"{KAGGLE}/train/other/2.jpg")
    touch(tmp_path, f"{KAGGLE}/train/fake/deeper/3.jpg", "real/4.jpg", "5.jpg")
    (row,) = read_dataset(tmp_path)
    assert row.name == f"{KAGGLE}/train/real/1.jpg"
    assert row.path == tmp_path / row.name
    assert (row.kind, row.source, row.mask, row.parts) == ("camera", "140k", None, "")


@pytest.mark.parametrize(
    ("name", "split"),
    [("train", "train"), ("Valid", "val"), ("val", "val"), ("validation", "val"), ("TEST", "test")],
)
def test_the_names_of_splits(tmp_path: Path, name: str, split: str) -> None:
    touch(tmp_path, f"{name}/Fake/1.jpg")
    assert seen(read_dataset(tmp_path)) == [(f"{name}/Fake/1.jpg", split, 1)]
    assert of_split(read_dataset(tmp_path), split)
    assert of_split(read_dataset(tmp_path), "none") == []


def test_the_order_is_fixed(tmp_path: Path) -> None:
    names = [f"train/{label}/{n:02}.jpg" for label in ("fake", "real") for n in range(20)]
    touch(tmp_path, *reversed(names))
    assert [row.name for row in read_dataset(tmp_path)] == names


def test_a_manifest_in_full(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.jpg", "a/2.jpg", "m/2.png", "train/real/not-named.jpg")
    header = "file,split,label,kind,source,group,mask,parts"
    lines = ("a/2.jpg,valid,fake,edit,studio,clip,m/2.png,0110", "a/1.jpg,train,real,,,,,")
    first, second = read_dataset(manifest(tmp_path, header, *lines))
    assert first == Row(
        path=tmp_path / "a/2.jpg",
        name="a/2.jpg",
        split="val",
        label=1,
        kind="edit",
        source="studio",
        group="clip",
        mask=tmp_path / "m/2.png",
        parts="0110",
    )
    assert second == Row(
        tmp_path / "a/1.jpg", "a/1.jpg", "train", 0, "real", tmp_path.name, "a/1.jpg"
    )


def test_a_manifest_of_three_columns_is_enough(tmp_path: Path) -> None:
    touch(tmp_path, "1.jpg")
    (row,) = read_dataset(manifest(tmp_path, "label,file,split", "fake,1.jpg,test"))
    assert (row.label, row.kind, row.group, row.mask) == (1, "fake", "1.jpg", None)


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["file,split,label", "1.jpg,train,maybe"], "maybe"),
        (["file,split,label", "1.jpg,dev,real"], "dev"),
        (["file,split,label", "9.jpg,train,real"], "9.jpg"),
        (["file,split", "1.jpg,train"], "label ''"),
        (["file,split,label", "1.jpg,train"], "label ''"),
        (["split,label", "train,real"], "not there"),
        (["file,split,label,mask", "1.jpg,train,fake,9.png"], "9.png"),
        (["file,split,label,group", "1.jpg,train,real,g", "2.jpg,test,real,g"], "group g"),
        (["file,split,label"], "neither"),
    ],
    ids=[
        "label",
        "split",
        "picture",
        "no column",
        "short line",
        "no file column",
        "mask",
        "group in two splits",
        "empty",
    ],
)
def test_a_wrong_manifest_is_named(tmp_path: Path, lines: list[str], named: str) -> None:
    touch(tmp_path, "1.jpg", "2.jpg")
    with pytest.raises(ValueError, match=named):
        read_dataset(manifest(tmp_path, *lines))


def test_a_folder_without_pictures_or_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="neither"):
        read_dataset(tmp_path)
    touch(tmp_path, "train/real/1.jpg")
    with pytest.raises(ValueError, match="neither"):
        read_dataset(tmp_path / "train")
    with pytest.raises(ValueError, match="not a folder"):
        read_dataset(tmp_path / "nothing")
    with pytest.raises(ValueError, match="not a folder"):
        read_dataset(tmp_path / "train/real/1.jpg")


# ---- several folders ----------------------------------------------------------------------------


def folder_of(path: Path, *lines: str, header: str = "file,split,label,group,twin") -> Path:
    path.mkdir(parents=True)
    touch(path, *(line.split(",")[0] for line in lines))
    return manifest(path, header, *lines)


def test_several_folders_make_one_set(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "one", "1.jpg,train,real,a,", "2.jpg,val,fake,b,")
    two = folder_of(tmp_path / "two", "1.jpg,test,fake,c,")
    touch(tmp_path / "three", f"{KAGGLE}/train/real/1.jpg")
    rows = read_dataset([one, two, tmp_path / "three"])
    assert seen(rows) == [
        ("one/1.jpg", "train", 0),
        ("one/2.jpg", "val", 1),
        ("two/1.jpg", "test", 1),
        (f"three/{KAGGLE}/train/real/1.jpg", "train", 0),
    ]
    assert [row.path for row in rows[:3]] == [one / "1.jpg", one / "2.jpg", two / "1.jpg"]
    assert [row.source for row in rows] == ["one", "one", "two", "140k"]


def test_one_folder_in_a_list_is_that_folder(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "one", "1.jpg,train,real,,", "2.jpg,val,fake,b,1.jpg")
    assert read_dataset([one]) == read_dataset(one)
    assert seen(read_dataset([one]))[0][0] == "1.jpg"


def test_two_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = [folder_of(tmp_path / where / "faces", "1.jpg,train,real,,") for where in "ab"]
    with pytest.raises(ValueError, match="one name"):
        read_dataset(folders)
    with pytest.raises(ValueError, match="one name"):
        read_dataset([folders[0], folders[0] / ".." / "faces"])


def test_a_group_across_folders_stands_in_one_split(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "one", "1.jpg,train,real,person 7,")
    two = folder_of(tmp_path / "two", "1.jpg,train,fake,person 7,")
    assert {row.group for row in read_dataset([one, two])} == {"person 7"}
    three = folder_of(tmp_path / "three", "1.jpg,val,fake,person 7,")
    with pytest.raises(ValueError, match="group person 7 stands in train and in val"):
        read_dataset([one, two, three])


def test_pictures_of_one_file_name_are_no_group(tmp_path: Path) -> None:
    """Where no group is named, each is one by itself, whatever another folder's is called."""
    one = folder_of(tmp_path / "one", "1.jpg,train,real,,")
    two = folder_of(tmp_path / "two", "1.jpg,val,fake,,")
    assert [row.group for row in read_dataset([one, two])] == ["one/1.jpg", "two/1.jpg"]


def test_twins_are_found_in_any_folder(tmp_path: Path) -> None:
    """A photograph in another folder is named with it, one in the same folder without."""
    photographs = folder_of(tmp_path / "photos", "real/1.jpg,train,real,a,")
    lines = ("fake/1.jpg,train,fake,a,photos/real/1.jpg", "fake/2.jpg,train,fake,b,real/2.jpg")
    made = folder_of(tmp_path / "made", *lines, "real/2.jpg,train,real,b,")
    rows = {row.name: row for row in read_dataset([photographs, made])}
    assert rows["made/fake/1.jpg"].twin == "photos/real/1.jpg"
    assert rows["made/fake/2.jpg"].twin == "made/real/2.jpg"
    assert {row.twin for row in rows.values() if row.twin} <= set(rows)
    assert {row.name: row.twin for row in read_dataset(made)}["fake/2.jpg"] == "real/2.jpg"


def test_no_folder_of_several_may_be_empty(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "one", "1.jpg,train,real,,")
    (tmp_path / "two").mkdir()
    with pytest.raises(ValueError, match=r"two holds neither"):
        read_dataset([one, tmp_path / "two"])


def test_splits_are_written_down(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "one", "1.jpg,train,real,a,", "2.jpg,val,fake,b,")
    two = folder_of(tmp_path / "two", "1.jpg,val,fake,c,", header="file,split,label,kind,source")
    write_splits(read_dataset([one, two]), tmp_path / "splits.csv")
    with (tmp_path / "splits.csv").open(newline="") as lines:
        records = list(csv.DictReader(lines))
    assert [list(record.values()) for record in records] == [
        ["one/1.jpg", "train", "real", "real", "one", "a"],
        ["one/2.jpg", "val", "fake", "fake", "one", "b"],
        ["two/1.jpg", "val", "fake", "c", "two", "two/1.jpg"],
    ]
    assert list(records[0]) == ["file", "split", "label", "kind", "source", "group"]


def test_a_split_that_is_asked_for_is_not_empty(tmp_path: Path) -> None:
    rows = read_dataset(folder_of(tmp_path / "one", "1.jpg,train,real,,"))
    assert split_of(rows, "train") == rows
    with pytest.raises(ValueError, match="'test' is empty"):
        split_of(rows, "test")


# ---- landmarks ----------------------------------------------------------------------------------


def pictures(folder: Path, portrait: Pixels) -> list[Row]:
    write_picture(folder / "train/real/face.png", head(portrait)[0])
    write_picture(folder / "train/real/none.png", np.full((80, 80, 3), 90, np.uint8))
    return read_dataset(folder)


def test_landmarks_are_found_once(
    tmp_path: Path, portrait: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, cache = pictures(tmp_path / "data", portrait), tmp_path / "out" / "landmarks.csv"
    first = landmarks_of(rows, cache)
    face, none = (first[row.name] for row in rows)
    np.testing.assert_allclose(face, head(portrait)[1], atol=4)
    assert none is None
    monkeypatch.setattr(searching, "FaceFinder", None)
    again = landmarks_of(rows, cache)
    np.testing.assert_array_equal(again[rows[0].name], face)  # to the last digit, for a resumed run
    assert again[rows[1].name] is None


def test_new_pictures_are_added_to_the_cache(tmp_path: Path, portrait: Pixels) -> None:
    rows, cache = pictures(tmp_path / "data", portrait), tmp_path / "landmarks.csv"
    cache.write_text("train/real/face.png," + ",".join(["7.00"] * 10) + "\n")
    known = landmarks_of(rows, cache)
    assert (known["train/real/face.png"] == 7).all()  # taken as it stands
    assert known["train/real/none.png"] is None
    assert len(cache.read_text().splitlines()) == 2


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    for content in (b"", b"no picture"):
        path = tmp_path / "broken.jpg"
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"broken\.jpg"):
            read_pixels(path)


def test_training_pictures_are_read_as_bgr(tmp_path: Path) -> None:
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 200
    write_picture(tmp_path / "red.png", red)
    assert read_pixels(tmp_path / "red.png")[0, 0].tolist() == [0, 0, 200]
