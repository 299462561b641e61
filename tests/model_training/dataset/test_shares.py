"""What is drawn how often: no source, family or clip dominates."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from model_training.dataset import samples
from model_training.dataset.families import FAMILIES
from model_training.dataset.samples import FAMILY_SHARE, Mix, Sampler, _Pool
from tests.model_training.faces import row


def shares(pool: _Pool, key: str, count: int = 6000) -> dict[str, float]:
    rng = np.random.default_rng(0)
    drawn = Counter(getattr(pool.draw(rng), key) for _ in range(count))
    return {name: number / count for name, number in drawn.items()}


def test_sources_count_by_the_root_of_their_size() -> None:
    rows = [row(f"a{n}", source="a") for n in range(90)] + [
        row(f"b{n}", source="b") for n in range(10)
    ]
    found = shares(_Pool(rows), "source")
    assert found["a"] == pytest.approx(0.75, abs=0.02)
    assert found["b"] == pytest.approx(0.25, abs=0.02)


def test_a_clip_of_many_frames_weighs_no_more_than_another() -> None:
    rows = [row(f"long{n}", group="long") for n in range(50)] + [row("short"), row("single")]
    found = shares(_Pool(rows), "group")
    assert found == {name: pytest.approx(1 / 3, abs=0.03) for name in ("long", "short", "single")}
    names = shares(_Pool(rows), "name")
    assert len(names) == 52
    assert names["short"] > 20 * names["long7"]


def test_some_sources_count_more_or_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SOURCE_SHARE", {("a", 0): 3.0})
    rows = [row(f"a{n}", source="a") for n in range(9)] + [
        row(f"b{n}", source="b") for n in range(9)
    ]
    assert shares(_Pool(rows), "source")["a"] == pytest.approx(0.75, abs=0.02)
    fakes = [replace(one, label=1) for one in rows]
    assert shares(_Pool(fakes), "source")["a"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("mix", [Mix(), Mix(real=0.2, self_made=0.5), Mix(real=0.5, self_made=0.0)])
def test_real_self_made_and_fake_come_in_their_shares(
    mix: Mix, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row("real", 0), row("fake", 1)]
    sampler = Sampler(rows, {"real": np.zeros((5, 2)), "fake": np.zeros((5, 2))}, mix)
    monkeypatch.setattr(sampler, "scene_of", lambda row: row.name)
    monkeypatch.setattr(sampler, "self_made", lambda rng: "self-made")
    rng = np.random.default_rng(0)
    drawn = Counter(sampler._scene(rng) for _ in range(6000))
    assert drawn["real"] / 6000 == pytest.approx(mix.real, abs=0.02)
    assert drawn["self-made"] / 6000 == pytest.approx(mix.self_made, abs=0.02)
    assert drawn["fake"] / 6000 == pytest.approx(1 - mix.real - mix.self_made, abs=0.02)


def family_shares(kinds: dict[str, int], count: int = 8000) -> dict[str, float]:
    """How often each family is drawn of fakes, so many of a kind."""
    rows = [
        replace(row(f"{kind}{n}", 1, source=kind), kind=kind)
        for kind, many in kinds.items()
        for n in range(many)
    ]
    sampler = Sampler(rows, {one.name: np.zeros((5, 2), np.float32) for one in rows}, Mix(0, 0))
    sampler.scene_of = lambda row: row.kind  # type: ignore[method-assign,assignment,return-value]
    rng = np.random.default_rng(0)
    drawn: Counter[str] = Counter(
        FAMILIES.get(str(sampler._scene(rng)), "any") for _ in range(count)
    )
    return {family: number / count for family, number in drawn.items()}


def test_families_have_their_shares_however_many_pictures_they_have() -> None:
    kinds = {"stylegan": 400, "flux": 5, "sd15": 50, "face-swap": 20, "retouch": 3, "whole": 100}
    total = sum(FAMILY_SHARE.values())
    wanted = {family: share / total for family, share in FAMILY_SHARE.items()}
    assert family_shares(kinds) == pytest.approx(wanted, abs=0.02)


def test_a_family_without_pictures_leaves_its_share_to_the_others() -> None:
    parts = FAMILY_SHARE["gan"] + FAMILY_SHARE["swap"]
    wanted = {"gan": FAMILY_SHARE["gan"] / parts, "swap": FAMILY_SHARE["swap"] / parts}
    assert family_shares({"stylegan2": 9, "lip-sync": 90}) == pytest.approx(wanted, abs=0.02)
    assert family_shares({"unheard-of": 2}, 50) == {"any": 1.0}
