"""Text with Telegram's HTML, and the entities that Telegram detects by itself."""

from __future__ import annotations

import html
import re

from tests.bot.telegram.answers import Json, bad_request
from tests.bot.telegram.limits import units

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
}
#: The only named references that Telegram knows.
_REFERENCE = re.compile(r"&(?:lt|gt|amp|quot|#\d{1,7}|#x[0-9a-fA-F]{1,6});")
_PIECE = re.compile(
    r"<(?P<close>/?)(?P<tag>[a-zA-Z-]*)(?P<rest>[^<>]*)>|(?P<lone><)|(?P<text>[^<]+)"
)
_HREF = re.compile(r"""\s+href\s*=\s*(?:"([^"]*)"|'([^']*)'|(\S+))""")
_DETECTED = (
    ("bot_command", re.compile(r"(?<![\w/])/[A-Za-z0-9_]{1,32}(?:@\w{3,32})?(?!\w)")),
    ("mention", re.compile(r"(?<!\w)@\w{4,32}")),
    (
        "url",
        re.compile(r"https?://[^\s<>]+|(?<![\w.@/])(?:[a-z0-9-]+\.)+(?:com|org|net)(?:/[^\s<>]*)?"),
    ),
)


def parsed(text: str, mode: str) -> tuple[str, list[Json]]:
    """The plain text and its entities; refuses what Telegram cannot parse."""
    if not mode:
        return text.strip(), []
    if mode.upper() != "HTML":
        raise bad_request(f"unsupported parse_mode (this Telegram speaks HTML, not {mode})")
    plain, entities = "", list[Json]()
    opened: list[tuple[str, int, str]] = []
    for piece in _PIECE.finditer(text):
        at = len(text[: piece.start()].encode())
        if piece["text"] is not None:
            plain += _REFERENCE.sub(lambda match: html.unescape(match[0]), piece["text"])
        elif piece["lone"] or (tag := piece["tag"].lower()) not in TAGS:
            why = f'Unsupported start tag "{piece["tag"] or ""}" at byte offset {at}'
            raise bad_request(f"can't parse entities: {why}")
        elif piece["close"]:
            if not opened or opened[-1][0] != tag:
                why = f"Unmatched end tag at byte offset {at}"
                raise bad_request(f"can't parse entities: {why}")
            entities.append(_entity(*opened.pop(), plain))
        else:
            opened.append((tag, units(plain), piece["rest"]))
    if opened:
        why = f'Can\'t find end tag corresponding to start tag "{opened[-1][0]}"'
        raise bad_request(f"can't parse entities: {why}")
    return plain.strip(), [entity for entity in entities if entity["length"]]


def _entity(tag: str, start: int, rest: str, plain: str) -> Json:
    entity: Json = {"type": TAGS[tag], "offset": start, "length": units(plain) - start}
    if tag == "a":
        href = _HREF.search(rest)
        url = next(filter(None, href.groups()), "") if href else ""
        entity |= {"url": html.unescape(url)}
    return entity


def detected_entities(text: str) -> list[Json]:
    """Commands, mentions and URLs that Telegram marks in what people write."""
    entities = []
    for kind, pattern in _DETECTED:
        for match in pattern.finditer(text):
            start = units(text[: match.start()])
            entities.append({"type": kind, "offset": start, "length": units(match[0])})
    return sorted(entities, key=lambda entity: (entity["offset"], entity["type"]))
