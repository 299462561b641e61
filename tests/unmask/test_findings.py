"""What several findings say together."""

from __future__ import annotations

from itertools import permutations

from unmask.findings import Evidence, Kind, Says, Weight, evidence_says, telling, weighed


def finding(weight: Weight, says: Says, **parameters: str | int) -> Evidence:
    return Evidence(kind=Kind.MARKS, code="mark", weight=weight, says=says, parameters=parameters)


SIGNED_CAMERA = finding(Weight.STATEMENT, Says.CAMERA)
SIGNED = finding(Weight.STATEMENT, Says.GENERATED, signer="X")
HINT = finding(Weight.HINT, Says.GENERATED)
NAMED = finding(Weight.HINT, Says.GENERATED, maker="Y")
EDITED = finding(Weight.HINT, Says.EDITED)
NOTE = finding(Weight.NOTE, Says.GENERATED)


def test_notes_say_nothing_by_themselves() -> None:
    assert evidence_says([]) is evidence_says([NOTE]) is Says.NOTHING
    assert telling([NOTE]) is None


def test_a_cameras_signature_does_not_outweigh_a_generators_mark() -> None:
    for order in permutations([SIGNED_CAMERA, HINT, EDITED, NOTE]):
        assert evidence_says(order) is Says.GENERATED
        assert telling(order) is HINT
    assert evidence_says([SIGNED_CAMERA, NOTE]) is Says.CAMERA


def test_the_heaviest_is_told_and_among_equals_one_with_a_name() -> None:
    for order in permutations([SIGNED, HINT, NAMED]):
        assert telling(order) is SIGNED
    for order in permutations([HINT, NAMED, EDITED]):
        assert telling(order) is NAMED


def test_the_heaviest_come_first_and_then_the_most_telling() -> None:
    ranked = [SIGNED, SIGNED_CAMERA, HINT, EDITED, NOTE]
    for order in permutations(ranked):
        assert weighed(order) == ranked
