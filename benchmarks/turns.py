"""Servers that take turns -> what each carries of the loop beside it, and ours of each other."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

#: What takes turns; another peer may, too.
SERVICE, LITSERVE = "service", "litserve"
#: The loop that draws and stores.
DRAWN = "loop, drawn"
#: What the project promises: share of the loop's throughput at 8 callers and above, and ms.
LEAST_SHARE, MOST_OVERHEAD = 0.85, 12.0
#: Callers at once for which the service is to carry as much as LitServe.
CROWDS = (8, 64)
#: Fewer pairs than these say little, and loops before and after that differ by more tell of others
#: on the machine.
LEAST_PAIRS, QUIET = 6, 1.25

#: What was measured of one block, or of all blocks of a round by their names.
Sample = dict[str, Any]


def sample(times: list[float], seconds: float) -> Sample:
    """What is kept of a block: the milliseconds of each picture, and the seconds of all."""
    return {
        "per_second": len(times) / seconds,
        "median_ms": statistics.median(times),
        "seconds": seconds,
        "ms": [round(value, 2) for value in times],
    }


def compared(found: Sample, before: Sample, after: Sample) -> Sample:
    """A measurement beside the loops around it."""
    rates = before["per_second"], after["per_second"]
    return {
        "share_of_loop": found["per_second"] / statistics.mean(rates),
        "overhead_ms": found["median_ms"] - statistics.median(before["ms"] + after["ms"]),
        "loop_per_second": rates,
        "drift": max(rates) / min(rates),
    }


def summary(rounds: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """Medians over the rounds, of each block's name; some stand in one round alone."""
    values = ("share_of_loop", "per_second", "median_ms", "overhead_ms", "drift")
    names = dict.fromkeys(name for one in rounds for name in one)
    return {
        name: {
            key: round(statistics.median(one[name][key] for one in rounds if name in one), 3)
            for key in values
        }
        for name in names
    }


def against(rounds: Sequence[Sample], peer: str = LITSERVE) -> dict[str, dict[str, float]]:
    """By the number of callers: how many times the pictures of a peer the service carries, the
    median, the least and the most of the pairs, and how many there are."""
    found = {}
    for callers in (name.split()[1] for name in rounds[0] if name.startswith(f"{SERVICE} ")):
        ours, theirs = (f"{server} {callers}" for server in (SERVICE, peer))
        ratios = [one[ours]["per_second"] / one[theirs]["per_second"] for one in rounds]
        found[callers] = {
            "median": round(statistics.median(ratios), 3),
            "least": round(min(ratios), 3),
            "most": round(max(ratios), 3),
            "pairs": len(ratios),
        }
    return found


def told(ratio: dict[str, float]) -> str:
    """A ratio with its range."""
    few = f"{ratio['least']:.0%} to {ratio['most']:.0%}"
    return f"{ratio['median']:.0%} ({few}, {ratio['pairs']} pairs)"


def show(result: Sample) -> None:
    """Print the summary, and what of the promises is kept."""
    found = result["summary"]
    print(f"{'':14}{'of the loop':>12}{'pictures/s':>12}{'median ms':>11}")
    for name, one in found.items():
        mark = "" if one["drift"] < QUIET else "  not quiet"
        share, rate, took = one["share_of_loop"], one["per_second"], one["median_ms"]
        print(f"{name:14}{share:12.0%}{rate:12.2f}{took:11.0f}{mark}")
    over, theirs = (found[f"{server} 1"]["overhead_ms"] for server in (SERVICE, LITSERVE))
    least = min(found[f"{SERVICE} {callers}"]["share_of_loop"] for callers in CROWDS)
    print(f"\none caller: {over:.1f} ms over the detector alone (LitServe {theirs:.1f} ms)")
    print(f"at most {MOST_OVERHEAD:g} ms: {_met(over <= MOST_OVERHEAD)}")
    print(f"at least {LEAST_SHARE:.0%} of the loop from 8 callers on: {_met(least >= LEAST_SHARE)}")
    for peer, ratios in result["against"].items():
        for callers, ratio in ratios.items():
            print(f"{callers} callers, of {peer}: {_judged(peer, int(callers), ratio)}")


def _judged(peer: str, callers: int, ratio: dict[str, float]) -> str:
    if ratio["pairs"] < LEAST_PAIRS:
        return f"{told(ratio)}; too few pairs"
    if peer == LITSERVE and callers in CROWDS:
        return f"{told(ratio)}, at least as much: {_met(ratio['median'] >= 1)}"
    return told(ratio)


def _met(is_met: bool) -> str:
    return "met" if is_met else "MISSED"
