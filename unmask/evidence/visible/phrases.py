"""The words by which laws and platforms have pictures labelled as made by AI, as data.

Each phrase holds two letters that stand side by side and are found first, the anchor: "AI", in
German "KI", in the Romance languages "IA", or the beginning of the Chinese word. China's measures
of 2025 (GB 45438-2025) prescribe "AI" or "人工智能" with "生成" or "合成", at an edge or in
a corner; what a platform writes before or after is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from unmask.findings import Says

#: Between two words: a space, a hyphen, or next to nothing.
SPACE = " "


@dataclass(frozen=True)
class Phrase:
    """What stands before and after the ``anchor``, two letters; ``label`` is how it is shown,
    ``maker`` whose words they are, ``says`` what they say. Words that stand in other pictures, too,
    such as those of a chat, count in the lower right corner alone (``is_in_corner``)."""

    before: str
    anchor: str
    after: str
    label: str
    says: Says = Says.GENERATED
    maker: str = ""
    is_in_corner: bool = False

    @property
    def letters(self) -> str:
        """All letters, without spaces."""
        return (self.before + self.anchor + self.after).replace(SPACE, "")


def _cases(*words: str) -> list[str]:
    """Each word with small letters, a capital first, and capitals alone."""
    return [form for word in words for form in (word, word.capitalize(), word.upper())]


def _phrases() -> tuple[Phrase, ...]:
    rows: list[Phrase] = []
    for word in _cases("generated"):
        rows.append(Phrase("", "AI", f" {word}", "AI generated"))
    for (verb, label), link in product(
        (("generated", "Generated"), ("made", "Made"), ("created", "Created")), ("by", "with")
    ):
        rows += [
            Phrase(f"{before} ", "AI", "", f"{label} {link} AI")
            for before in _cases(f"{verb} {link}")
        ]
    rows += [
        Phrase(f"{before} ", "AI", "", "Imagined with AI", maker="Meta AI")
        for before in _cases("imagined with")
    ]
    rows.append(Phrase("Meta ", "AI", "", "Meta AI", maker="Meta AI", is_in_corner=True))
    rows += [
        Phrase("", "AI", f" {word}", "AI info", Says.EDITED) for word in ("info", "Info", "INFO")
    ]
    for word in _cases("generiert", "erstellt"):
        rows.append(Phrase("", "KI", f" {word}", f"KI-{word.lower()}"))
    romance = {
        "par": ("généré", "générée"),
        "por": ("generado", "generada", "gerado", "gerada"),
        "con": ("generado", "generada", "creado", "creada", "hecho", "generato"),
        "com": ("gerado", "gerada", "feito"),
        "da": ("generato", "generata"),
    }
    rows += [
        Phrase(f"{before} ", "IA", "", f"{verb.capitalize()} {link} IA")
        for link, verbs in romance.items()
        for verb in verbs
        for before in _cases(f"{verb} {link}")
    ]
    rows += [
        Phrase("", "AI", "生成", "AI生成"),
        Phrase("", "AI", "合成", "AI合成"),
        Phrase("", "AI", " 생성", "AI 생성"),
        Phrase("", "AI", "로 생성", "AI로 생성"),
        Phrase("", "人工", "智能生成", "人工智能生成"),
        Phrase("", "人工", "智能合成", "人工智能合成"),
    ]
    return tuple(rows)


PHRASES = _phrases()
ANCHORS = tuple(dict.fromkeys(phrase.anchor for phrase in PHRASES))


def letters() -> list[str]:
    """Every letter of the phrases once."""
    return sorted(set("".join(phrase.letters for phrase in PHRASES)))
