"""``unmask evidence``: what a picture's file tells, with all of its metadata; no face is judged."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.text import Text

from unmask.cli.show import plain
from unmask.cli.sources import find_sources
from unmask.environment import read_settings
from unmask.errors import Exit, UnmaskError
from unmask.evidence.collect import Collected, Collector
from unmask.evidence.credentials.reader import CredentialsReader
from unmask.evidence.credentials.trust_list import trust_list_path
from unmask.evidence.marks.stealth import find_stealth
from unmask.evidence.metadata.listing import metadata_json
from unmask.findings import Evidence, Kind, evidence_says, telling, weighed
from unmask.i18n import Texts, terminal_language, texts_in
from unmask.wording.errors import error_message
from unmask.wording.evidence import (
    WEIGHTS,
    evidence_sentence,
    map_url,
    origin_sentence,
    with_sentences,
)
from unmask.wording.kinds import about


def run(options: argparse.Namespace) -> int:
    """Show what each file tells; returns the exit status."""
    settings = read_settings(None)
    texts = texts_in(terminal_language())
    out, errors = Console(soft_wrap=True), Console(stderr=True, soft_wrap=True)
    collector = Collector(CredentialsReader(trust_list_path(settings)))
    status = Exit.DONE
    with closing(collector):
        for source in find_sources(options.photos):
            try:
                picture = source.read(settings)
                collected = collector.look(collector.collect(picture), picture.pixels)
                evidence = weighed([*collected.evidence, *find_stealth(picture)])
                collected = replace(collected, evidence=tuple(evidence))
            except UnmaskError as error:
                status = Exit.SOME_FAILED
                _print_error(errors, source.name, error, texts, options.json)
                continue
            if options.json:
                sys.stdout.write(_line(source.name, collected) + "\n")
            else:
                _print(out, source.name, collected, texts)
    return status


def _line(name: str, collected: Collected) -> str:
    """One line of JSON, in English and ASCII."""
    evidence = with_sentences(collected.evidence)
    shown = {
        "file": name,
        "evidence_says": evidence_says(evidence),
        "evidence": [finding.model_dump(mode="json") for finding in evidence],
        "metadata": metadata_json(collected.metadata),
    }
    return json.dumps(shown)


def _print_error(
    errors: Console, name: str, error: UnmaskError, texts: Texts, as_json: bool
) -> None:
    if as_json:
        sys.stdout.write(json.dumps({"file": name, **error.as_json()}, default=str) + "\n")
        return
    message = error_message(texts, error.as_json()["error"])
    errors.print(Text(f"{plain(name)}: {plain(message)} [{error.code}]"))


def _print(out: Console, name: str, collected: Collected, texts: Texts) -> None:
    out.print(Text(plain(name), "bold"))
    finding = telling(collected.evidence)
    if finding is None:
        out.print(Text(texts.gettext("The file does not say how the picture was made.")))
    else:
        out.print(Text(plain(origin_sentence(texts, finding))))
    by_kind = sorted(collected.evidence, key=lambda item: list(Kind).index(item.kind))
    for kind, findings in groupby(by_kind, key=lambda item: item.kind):
        words = about(texts, kind)
        out.print()
        out.print(Text(words.title, "bold"))
        _print_findings(out, findings, texts)
        out.print(Text(texts.gettext("Shows: {text}", text=words.shows)))
        out.print(Text(texts.gettext("Does not show: {text}", text=words.shows_not)))
    _print_metadata(out, metadata_json(collected.metadata), texts)
    out.print()


def _print_findings(out: Console, findings: Iterable[Evidence], texts: Texts) -> None:
    for finding in findings:
        weight = texts.gettext(WEIGHTS[finding.weight])
        out.print(Text(plain(f"- {evidence_sentence(texts, finding)} ({weight})")))


def _print_metadata(out: Console, metadata: dict[str, Any], texts: Texts) -> None:
    if not metadata["fields"]:
        return
    out.print()
    out.print(Text(texts.gettext("All metadata"), "bold"))
    if metadata["place"]:
        out.print(Text(map_url(**metadata["place"])))
    for field in metadata["fields"]:
        line = Text(plain(f"{field['name']}: {field['value']}"))
        if "meaning" in field:
            line.append(f"  ({texts.gettext(field['meaning'])})", "dim")
        out.print(line)
    if metadata["left_out"]:
        number = metadata["left_out"]
        out.print(
            Text(texts.ngettext("and {number} more field", "and {number} more fields", number))
        )
