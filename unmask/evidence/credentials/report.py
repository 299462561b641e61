"""The library's report on Content Credentials -> one finding.

``Valid`` is not ``Trusted``: anybody can sign as anybody. Only a signer on the trust list is named
as a fact. What an untrusted note says against a picture is a hint, as any unsigned field is; what
it says for it (a camera) counts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from unmask.findings import Evidence, Kind, Says, Weight, Where

_MAX_NAME, _MAX_PARTS = 60, 200
_GENERATED = ("trainedAlgorithmicMedia", "algorithmicMedia")
_EDITED = ("compositeWithTrainedAlgorithmicMedia", "compositeSynthetic")
_CAMERA = ("digitalCapture", "computationalCapture")
#: The note is whole, but of other bytes than these.
_CHANGED = (
    "assertion.dataHash.mismatch",
    "assertion.bmffHash.mismatch",
    "assertion.boxesHash.mismatch",
)
#: Faults of the certificate or of the note's form: the note still fits the picture.
_OF_SIGNER = (
    "signingCredential.untrusted",
    "signingCredential.expired",
    "signingCredential.invalid",
    "signingCredential.ocsp.unknown",
    "timeStamp.untrusted",
    "assertion.action.malformed",
    "cawg.",
)
_WHERE = Where(field="C2PA")


@dataclass(frozen=True)
class _Claim:
    """What a note says of the picture, by which program; whether of a part of it, and whether that
    part's own note is sound."""

    says: Says = Says.NOTHING
    agent: str = ""
    is_of_part: bool = False
    is_sound: bool = True


def credentials_finding(report: dict[str, Any], listed: date | None) -> Evidence | None:
    """The finding for a report of :meth:`CredentialsReader.read`; None where there is no note.

    ``listed`` is the date of the trust list. What a part's note says is a statement only where that
    note is trusted too: the signer of a picture does not vouch for its parts. ``parameters`` has
    the ``signer`` that the note names, unless it is damaged, the ``agent``, and ``part`` 1 where a
    picture that went into this one was made so, not this one itself.
    """
    if "error" in report:
        return _without_report(report)
    manifests = _dict(report.get("manifests"))
    active = _dict(manifests.get(str(report.get("active_manifest"))))
    state, claim = _state(report), _claim(report, active, manifests)
    parameters: dict[str, str | int] = {"agent": claim.agent} if claim.agent else {}
    signer = _name(_dict(active.get("signature_info")).get("issuer"))
    if signer and state != "damaged":
        parameters["signer"] = signer
    if state == "trusted" and listed:
        parameters["listed"] = listed.isoformat()
    if claim.is_of_part:
        parameters["part"] = 1
    says = claim.says
    if state != "trusted" and says is Says.CAMERA:
        says = Says.NOTHING
    return Evidence(
        kind=Kind.CREDENTIALS,
        code=f"credentials_{state}",
        weight=_weight(state, says, claim.is_sound),
        says=says,
        where=_WHERE,
        parameters=parameters,
    )


def credentials_elsewhere(url: str) -> Evidence:
    """The finding for credentials that lie at an address, of which only the host is named."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    parameters: dict[str, str | int] = {"host": _name(host)}
    code = "credentials_elsewhere"
    return Evidence(
        kind=Kind.CREDENTIALS, code=code, weight=Weight.NOTE, where=_WHERE, parameters=parameters
    )


def _without_report(report: dict[str, Any]) -> Evidence | None:
    if report["error"] == "none":
        return None
    if report["error"] == "elsewhere":
        return credentials_elsewhere(str(report.get("url", "")))
    code = "credentials_unreadable"
    return Evidence(kind=Kind.CREDENTIALS, code=code, weight=Weight.NOTE, where=_WHERE)


def _weight(state: str, says: Says, is_sound: bool) -> Weight:
    if state == "trusted" and is_sound:
        return Weight.STATEMENT
    return Weight.NOTE if says is Says.NOTHING else Weight.HINT


def _state(report: dict[str, Any]) -> str:
    """trusted, untrusted, unaccepted (the certificate is expired or unfit), changed, damaged."""
    state = report.get("validation_state")
    if state == "Trusted":
        return "trusted"
    results = _dict(_dict(report.get("validation_results")).get("activeManifest"))
    codes = {str(_dict(fault).get("code")) for fault in _list(results.get("failure"))}
    if any(code.startswith(_CHANGED) for code in codes):
        return "changed"
    if any(not code.startswith(_OF_SIGNER) for code in codes):
        return "damaged"
    return "untrusted" if state == "Valid" else "unaccepted"


def _claim(report: dict[str, Any], active: dict[str, Any], manifests: dict[str, Any]) -> _Claim:
    """What the active note says, or one level down those of the pictures that this is made of."""
    own = _own_claim(active)
    if own.says in (Says.GENERATED, Says.EDITED):
        return own
    for ingredient in _list(active.get("ingredients"))[:_MAX_PARTS]:
        part = _dict(ingredient)
        below = _own_claim(_dict(manifests.get(str(part.get("active_manifest")))))
        if below.says in (Says.GENERATED, Says.EDITED):
            is_whole = part.get("relationship") == "parentOf" or not _begins(active)
            says = below.says if is_whole else Says.EDITED
            return _Claim(says, below.agent, is_of_part=True, is_sound=_is_sound(part, report))
    return _Claim(own.says, own.agent or _generator(active))


def _is_sound(part: dict[str, Any], report: dict[str, Any]) -> bool:
    """Whether a part's note is trusted, and nothing else is wrong with it: as its user recorded,
    and as it is now."""
    deltas = _list(_dict(report.get("validation_results")).get("ingredientDeltas"))
    checks = [_dict(part.get("validation_results")).get("activeManifest")]
    checks += [_dict(delta).get("validationDeltas") for delta in deltas]
    name = str(part.get("active_manifest"))
    successes = {code for check in checks for code in _codes(check, "success", name)}
    failures = {code for check in checks for code in _codes(check, "failure", name)}
    return "signingCredential.trusted" in successes and failures <= {"signingCredential.untrusted"}


def _codes(check: Any, group: str, name: str) -> Iterator[str]:
    """The codes of one group that are about the note of that name."""
    for status in _list(_dict(check).get(group))[:_MAX_PARTS]:
        if name in str(_dict(status).get("url")):
            yield str(_dict(status).get("code"))


def _own_claim(manifest: dict[str, Any]) -> _Claim:
    """The most telling of a note's actions."""
    claims = [
        _Claim(says, _agent(action) or _generator(manifest))
        for action in _actions(manifest)
        if (says := _says(action)) is not Says.NOTHING
    ]
    words = list(Says)
    return min(claims, key=lambda claim: words.index(claim.says), default=_Claim())


def _says(action: dict[str, Any]) -> Says:
    term = str(action.get("digitalSourceType", "")).rstrip("/").rpartition("/")[2]
    is_first = action.get("action") == "c2pa.created"
    if term in _GENERATED:
        return Says.GENERATED if is_first else Says.EDITED
    if term in _EDITED:
        return Says.EDITED
    return Says.CAMERA if term in _CAMERA and is_first else Says.NOTHING


def _begins(manifest: dict[str, Any]) -> bool:
    """Whether a note says how its picture began: created, or opened from another."""
    return any(
        action.get("action") in ("c2pa.created", "c2pa.opened") for action in _actions(manifest)
    )


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in _list(manifest.get("assertions"))[:_MAX_PARTS]:
        entry = _dict(assertion)
        if str(entry.get("label", "")).startswith("c2pa.actions"):
            for action in _list(_dict(entry.get("data")).get("actions"))[:_MAX_PARTS]:
                yield _dict(action)


def _agent(action: dict[str, Any]) -> str:
    agent = action.get("softwareAgent")
    return _name(agent.get("name") if isinstance(agent, dict) else agent)


def _generator(manifest: dict[str, Any]) -> str:
    """The program that wrote the note."""
    infos = _list(manifest.get("claim_generator_info"))
    return _name(_dict(infos[0]).get("name") if infos else manifest.get("claim_generator"))


def _name(value: Any) -> str:
    """A name from a stranger's file: printable, on one line, and no longer than a name."""
    text = "".join(letter for letter in str(value or "") if letter.isprintable())
    return " ".join(text.split())[:_MAX_NAME].strip()


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
