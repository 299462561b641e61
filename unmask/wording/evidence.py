"""The words of evidence: what each finding says, what its kind shows and does not show, and how
the statement on a picture joins the score and the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unmask.findings import Evidence, Kind, Says, Weight, evidence_says, telling, weighed
from unmask.i18n import DEFAULT, Texts, gettext_noop, ngettext_noop, texts_in
from unmask.report import Report, Verdict, most_suspicious, shown_percent
from unmask.wording.reports import VERDICTS, statement

#: The weights, beside each finding.
WEIGHTS = {
    Weight.STATEMENT: gettext_noop("signed and trusted"),
    Weight.HINT: gettext_noop("a hint: anybody can write this"),
    Weight.NOTE: gettext_noop("for context"),
}
#: Where there is no evidence at all.
NOTHING_TOLD = gettext_noop(
    "Nothing of how the picture was made. That means nothing: most platforms remove such notes."
)
#: In place of the verdict's word, where the file says more than the face.
HEADLINES = {
    Says.GENERATED: gettext_noop("Made by AI, says the file"),
    Says.EDITED: gettext_noop("Edited with AI, says the file"),
}


@dataclass(frozen=True)
class _Text:
    """The sentence of a code; ``many`` is the one where ``number`` is not 1, which the parameter
    ``counted`` gives."""

    one: str
    many: str = ""
    counted: str = ""


#: The sentence of each code, with ``{parameters}`` to fill in.
EVIDENCE_CODES: dict[str, _Text] = {
    "credentials_trusted": _Text(
        gettext_noop("A note signed by {signer}, who is on the trust list of {listed}.")
    ),
    "credentials_untrusted": _Text(
        gettext_noop(
            "A signed note for whose signer nobody vouches: “{signer}” is only the name that it "
            "gives."
        )
    ),
    "credentials_unaccepted": _Text(
        gettext_noop(
            "A signed note whose certificate has expired or is not accepted: “{signer}” is only "
            "the name that it gives."
        )
    ),
    "credentials_changed": _Text(
        gettext_noop(
            "A signed note that no longer fits the picture: the file was changed after it was "
            "signed, be it only by a platform."
        )
    ),
    "credentials_damaged": _Text(gettext_noop("A signed note that is damaged or forged.")),
    "credentials_elsewhere": _Text(
        gettext_noop("The file's signed note lies at {host}. It was not fetched.")
    ),
    "credentials_unreadable": _Text(gettext_noop("A signed note that could not be read.")),
    "mark_generated": _Text(
        gettext_noop("An unsigned field says that the picture was made by {maker}.")
    ),
    "mark_generated_unnamed": _Text(
        gettext_noop("An unsigned field says that the picture was made by an AI model.")
    ),
    "mark_edited": _Text(
        gettext_noop("An unsigned field says that the picture was edited with AI by {maker}.")
    ),
    "mark_edited_unnamed": _Text(
        gettext_noop("An unsigned field says that the picture was edited with AI.")
    ),
    "mark_suspected": _Text(
        gettext_noop("A label by China's rules says that the picture may be generated.")
    ),
    "visible_mark_generated": _Text(
        gettext_noop("A visible mark like that of {maker} says that the picture was made by AI.")
    ),
    "visible_mark_edited": _Text(
        gettext_noop("A visible mark like that of {maker} says that the picture was edited by AI.")
    ),
    "visible_label_generated": _Text(
        gettext_noop("A label in the picture says that it was made by AI: “{label}”.")
    ),
    "visible_label_edited": _Text(
        gettext_noop("A label in the picture says that AI was used: “{label}”.")
    ),
    "camera_named": _Text(gettext_noop("The metadata name a camera and its settings: {camera}.")),
    "camera_claimed": _Text(gettext_noop("An unsigned field says that a camera took the picture.")),
    "editor_named": _Text(
        gettext_noop("The metadata name a program that edits pictures: {program}.")
    ),
    "time_in_future": _Text(
        gettext_noop(
            "By the metadata the picture was taken in the future: a clock was wrong, or the time "
            "was made up."
        )
    ),
    "changed_before_taken": _Text(
        gettext_noop("By the metadata the file was changed before the picture was taken.")
    ),
    "changed_later": _Text(
        *ngettext_noop(
            "By the metadata the file was changed {number} day after the picture was taken.",
            "By the metadata the file was changed {number} days after the picture was taken.",
        ),
        counted="days",
    ),
    "place_at_other_time": _Text(
        *ngettext_noop(
            "The date of the place (GPS) is {number} day from that of the camera.",
            "The date of the place (GPS) is {number} days from that of the camera.",
        ),
        counted="days",
    ),
    "place_recorded": _Text(gettext_noop("The metadata hold the place where it was taken (GPS).")),
    "history_kept": _Text(
        *ngettext_noop(
            "The file keeps a history of {number} step of editing.",
            "The file keeps a history of {number} steps of editing.",
        ),
        counted="steps",
    ),
    "made_from_another": _Text(gettext_noop("The file was made from another document.")),
    "passed_facebook": _Text(gettext_noop("The file has passed through Facebook or Instagram.")),
    "screenshot": _Text(gettext_noop("The metadata call the picture a screenshot.")),
    "thumbnail_differs": _Text(
        gettext_noop(
            "The small preview inside the file shows another picture, or another part of it."
        )
    ),
    "jpeg_saved_again": _Text(
        gettext_noop(
            "The picture has traces of an earlier saving as a JPEG, before this one (quality "
            "{quality})."
        )
    ),
    "jpeg_own_tables": _Text(
        gettext_noop(
            "Saved by a camera, an editor or a platform with compression tables of its own (about "
            "quality {quality})."
        )
    ),
    "seen_before": _Text(
        *ngettext_noop(
            "The team had the same file checked {number} time before, first on {first} (UTC).",
            "The team had the same file checked {number} times before, first on {first} (UTC).",
        ),
        counted="times",
    ),
    "copy_seen_before": _Text(
        *ngettext_noop(
            "The team had a copy of the picture, in another size or encoding, checked {number} "
            "time before, first on {first} (UTC).",
            "The team had copies of the picture, in another size or encoding, checked {number} "
            "times before, first on {first} (UTC).",
        ),
        counted="times",
    ),
    "metadata_oversized": _Text(
        gettext_noop("The metadata ({block}) are too large; they were not read.")
    ),
    "metadata_forbidden": _Text(
        gettext_noop("The metadata ({block}) hold what attacks their readers; they were not read.")
    ),
    "metadata_unreadable": _Text(gettext_noop("The metadata ({block}) are damaged.")),
}
#: What a signed note says, after the sentence on who signed it; then what a part's note says.
_CLAIMS = {
    Says.GENERATED: gettext_noop("It says that an AI model made the picture: {agent}."),
    Says.EDITED: gettext_noop("It says that the picture was edited with AI: {agent}."),
    Says.CAMERA: gettext_noop("It says that a camera took the picture: {agent}."),
}
_PART_CLAIMS = {
    Says.GENERATED: gettext_noop(
        "It says that the picture was made from one that an AI model made: {agent}."
    ),
    Says.EDITED: gettext_noop("It says that a part of the picture comes from AI: {agent}."),
}
_ORIGINS = {
    Says.GENERATED: gettext_noop("The file says that the picture was made by {who} ({how})."),
    Says.EDITED: gettext_noop(
        "The file says that the picture was edited with AI by {who} ({how})."
    ),
    Says.CAMERA: gettext_noop("The file says that a camera took the picture: {who} ({how})."),
}
_BUT_ORIGINS = {
    Says.GENERATED: gettext_noop("But the file says that the picture was made by {who} ({how})."),
    Says.EDITED: gettext_noop(
        "But the file says that the picture was edited with AI by {who} ({how})."
    ),
    Says.CAMERA: _ORIGINS[Says.CAMERA],
}
#: The same where no maker is named: "made by an AI model" says so by itself.
_EDITED_BY_NOBODY = gettext_noop("The file says that the picture was edited with AI ({how}).")
_BUT_EDITED_BY_NOBODY = gettext_noop(
    "But the file says that the picture was edited with AI ({how})."
)
#: The same in a few words, for the legend of a picture.
_SHORT_ORIGINS = {
    Says.GENERATED: gettext_noop("file: made by {who} ({how})"),
    Says.EDITED: gettext_noop("file: edited with AI ({how})"),
    Says.CAMERA: gettext_noop("file: taken by a camera ({how})"),
}
_HOW = {
    Kind.MARKS: gettext_noop("unsigned mark"),
    Kind.VISIBLE_MARKS: gettext_noop("visible mark"),
    Kind.CREDENTIALS: gettext_noop("signed by somebody unknown"),
}
_SIGNED = gettext_noop("signed")
_MODEL, _PROGRAM, _NOBODY = (
    gettext_noop("an AI model"),
    gettext_noop("a program without a name"),
    gettext_noop("nobody"),
)
#: Findings of which a notice has room for this many.
FEW = 3


def evidence_sentence(texts: Texts, finding: Evidence) -> str:
    """What a finding says; a code of another version is said by its name."""
    text = EVIDENCE_CODES.get(finding.code)
    if text is None:
        return finding.code.replace("_", " ")
    values: dict[str, str | int] = {
        "signer": texts.gettext(_NOBODY),
        "agent": texts.gettext(_PROGRAM),
        "maker": texts.gettext(_MODEL),
        "listed": "?",
        **finding.parameters,
    }
    if text.many:
        number = int(values.pop(text.counted, 1))
        return texts.ngettext(text.one, text.many, number, **values)
    sentence = texts.gettext(text.one, **values)
    claims = _PART_CLAIMS if "part" in finding.parameters else _CLAIMS
    if finding.kind is Kind.CREDENTIALS and finding.says in claims:
        sentence += " " + texts.gettext(claims[finding.says], **values)
    return sentence


def origin_sentence(texts: Texts, finding: Evidence, but: bool = False) -> str:
    """What the file says of the picture's origin, by whom and how surely, in one sentence.

    ``but`` sets it against what was said before.
    """
    who, how = _who(finding), origin_weight(texts, finding)
    if not who and finding.says is Says.EDITED:
        return texts.gettext(_BUT_EDITED_BY_NOBODY if but else _EDITED_BY_NOBODY, how=how)
    template = (_BUT_ORIGINS if but else _ORIGINS)[finding.says]
    return texts.gettext(template, who=who or texts.gettext(_MODEL), how=how)


def origin_label(texts: Texts, report: Report) -> str:
    """What the file says of the picture's origin in a few words; empty where it says nothing."""
    finding = telling(report.evidence)
    if finding is None:
        return ""
    who = _who(finding) or texts.gettext(_MODEL)
    template = _SHORT_ORIGINS[finding.says]
    return texts.gettext(template, who=who, how=origin_weight(texts, finding))


def origin_weight(texts: Texts, finding: Evidence) -> str:
    """How a finding on the origin is made sure: signed, unsigned, visible."""
    how = _SIGNED if finding.weight is Weight.STATEMENT else _HOW[finding.kind]
    return texts.gettext(how)


def _who(finding: Evidence) -> str:
    """Whom a finding names, if anybody: a signer only where the signature is trusted."""
    names = finding.parameters
    maker = names.get("maker") or names.get("agent")
    signer = names.get("signer") if finding.weight is Weight.STATEMENT else None
    if maker and signer and signer != maker:
        return f"{maker}, {signer}"
    return str(maker or signer or "")


def report_statement(texts: Texts, report: Report) -> str:
    """The statement on a picture: what the faces show, joined with what the file says."""
    faces = statement(texts, report.faces)
    finding = telling(report.evidence)
    if finding is None:
        return faces
    against = report.verdict in (Verdict.REAL, Verdict.NO_FACE) and finding.says is not Says.CAMERA
    if against and report.faces:
        percent = shown_percent(most_suspicious(report.faces).fake_probability)
        faces = texts.gettext(
            "No sign of manipulation was found (fake {percent} %).", percent=percent
        )
    return f"{faces} {origin_sentence(texts, finding, but=against)}"


def headline(texts: Texts, report: Report) -> str:
    """The verdict in a word or two; what the file says, where that is worse."""
    if report.verdict is not Verdict.FAKE and report.evidence_says in HEADLINES:
        return texts.gettext(HEADLINES[report.evidence_says])
    return texts.gettext(VERDICTS[report.verdict])


def shown_verdict(report: Report) -> Verdict:
    """The verdict whose colour and sign a report has: worse than its own, where the file says so.

    A trusted statement that the picture was generated looks as a fake does; a hint, or an edit, as
    what is unsure.
    """
    finding = telling(report.evidence)
    if finding is None or finding.says is Says.CAMERA or report.verdict is Verdict.FAKE:
        return report.verdict
    if finding.weight is Weight.STATEMENT and finding.says is Says.GENERATED:
        return Verdict.FAKE
    return Verdict.UNSURE


def with_evidence(report: Report, evidence: Iterable[Evidence]) -> Report:
    """The report with the evidence, and the statement (in English) that joins both."""
    findings = with_sentences(evidence)
    if not findings:
        return report
    update = {"evidence": findings, "evidence_says": evidence_says(findings)}
    joined = report.model_copy(update=update)
    return joined.model_copy(update={"statement": report_statement(texts_in(DEFAULT), joined)})


def with_sentences(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The findings, the heaviest first, each with its sentence in English."""
    english = texts_in(DEFAULT)
    return tuple(
        finding.model_copy(update={"sentence": evidence_sentence(english, finding)})
        for finding in weighed(evidence)
    )


def map_url(latitude: float, longitude: float) -> str:
    """The address of a map with a mark at the place, for a person to open."""
    place = f"mlat={latitude}&mlon={longitude}"
    return f"https://www.openstreetmap.org/?{place}#map=15/{latitude}/{longitude}"
