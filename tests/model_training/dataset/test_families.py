"""Each kind of fake belongs to one family, and each family to one head."""

from __future__ import annotations

import pytest

from model_training.dataset.families import FAMILIES, HEADS, head_of
from model_training.dataset.samples import DONOR_KINDS, FAMILY_SHARE


def test_the_first_head_is_over_all_fakes_and_each_family_has_one() -> None:
    assert HEADS[0] == "any"
    assert set(HEADS[1:]) == set(FAMILIES.values())
    assert len(set(HEADS)) == len(HEADS) == 5


@pytest.mark.parametrize("kind", FAMILIES)
def test_a_fakes_head_is_its_familys(kind: str) -> None:
    assert HEADS[head_of(1, kind)] == FAMILIES[kind]
    assert head_of(1, kind) > 0


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("stylegan", "gan"),
        ("attribute-edit", "gan"),
        ("face-swap", "swap"),
        ("self-made", "swap"),
        ("partial", "swap"),
        ("retouch", "retouch"),
        ("diffusion", "modern"),
        ("gpt-image", "modern"),
        ("autoencoded", "modern"),
    ],
)
def test_who_belongs_where(kind: str, head: str) -> None:
    assert HEADS[head_of(1, kind)] == head


@pytest.mark.parametrize("kind", ["", "camera", "fake", "whole", "StyleGAN", "a kind of 2031"])
def test_a_fake_of_no_family_counts_for_the_first_head_alone(kind: str) -> None:
    assert head_of(1, kind) == 0


@pytest.mark.parametrize("kind", ["camera", "", *FAMILIES])
def test_a_photograph_has_the_first_head_whatever_it_is_called(kind: str) -> None:
    assert head_of(0, kind) == 0


def test_every_family_has_its_share_of_the_fakes() -> None:
    assert set(FAMILY_SHARE) == set(HEADS)
    assert all(share > 0 for share in FAMILY_SHARE.values())
    assert {FAMILIES[kind] for kind in DONOR_KINDS} == {"gan"}
