"""benchmarks.turns: two servers side by side -> their ratio, with its range."""

from __future__ import annotations

import pytest

from benchmarks.turns import DRAWN, LITSERVE, Sample, against, compared, sample, show, summary, told


def block(per_second: float, loop: float = 4.0) -> Sample:
    """A block of two pictures at so many a second, between two loops of a steady rate."""
    around = sample([1000 / loop] * 3, 3 / loop)
    own = sample([1000 / per_second] * 2, 2 / per_second)
    return own | compared(own, around, around)


def round_of(ours: float, theirs: float, **others: Sample) -> Sample:
    blocks = {
        f"{name} {callers}": block(rate)
        for callers in (1, 8, 64)
        for name, rate in (("service", ours), ("litserve", theirs))
    }
    return blocks | others


def test_a_ratio_is_of_blocks_side_by_side() -> None:
    """A machine that is half as fast in one round changes no ratio."""
    rounds = [round_of(6, 5), round_of(3, 2.5), round_of(5, 5)]
    assert against(rounds)["64"] == {"median": 1.2, "least": 1.0, "most": 1.2, "pairs": 3}
    assert told(against(rounds)["8"]) == "120% (100% to 120%, 3 pairs)"


def test_blocks_of_one_round_alone_are_summed_up_too() -> None:
    rounds = [round_of(6, 5, **{DRAWN: block(2), "rq 8": block(0.5)}), round_of(4, 5)]
    found = summary(rounds)
    assert (found["rq 8"]["share_of_loop"], found[DRAWN]["per_second"]) == (0.125, 2.0)
    assert found["service 8"]["per_second"] == 5.0
    assert found["service 1"]["overhead_ms"] == pytest.approx((1000 / 6 + 250) / 2 - 250, abs=0.001)


@pytest.mark.parametrize(("number", "says"), [(6, "at least as much: met"), (2, "too few pairs")])
def test_few_pairs_are_told(number: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    rounds = [round_of(6, 5)] * number
    show({"summary": summary(rounds), "against": {LITSERVE: against(rounds)}})
    (line,) = (one for one in capsys.readouterr().out.splitlines() if one.startswith("64 callers"))
    assert f"120% (120% to 120%, {number} pairs)" in line and says in line
