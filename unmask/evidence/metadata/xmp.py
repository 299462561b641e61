"""XMP (ISO 16684-1) -> fields: an XML of properties, lists and structures."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from unmask.evidence.fields import Fault, Field, MetadataError

#: Elements and attributes that are read, and how deep they may lie.
_MAX_NODES, _MAX_DEPTH = 20_000, 64
_MAX_TEXT = 100_000

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_META = "{adobe:ns:meta/}xmpmeta"
#: The names by which exiftool and most readers know the schemas.
_PREFIXES = {
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#": "stEvt",
    "http://ns.adobe.com/xap/1.0/sType/ResourceRef#": "stRef",
    "http://ns.adobe.com/xmp/note/": "xmpNote",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/camera-raw-settings/1.0/": "crs",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "iptcCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "iptcExt",
    "http://www.tc260.org.cn/ns/AIGC/1.0/": "TC260",
}
#: The property that names the rest of a packet which is too long for one segment of a JPEG.
_EXTENSION = "XMP-xmpNote:HasExtendedXMP"
#: An identifier, the length of the whole, an offset in it, and the bytes there.
Part = tuple[bytes, int, int, bytes]


def read_xmp(packet: bytes, extended: Sequence[Part] = ()) -> tuple[Field, ...]:
    """The properties of a packet, and of the extended XMP that it names.

    A property of a schema is ``XMP-photoshop:Credit``; a member of a structure in it
    ``XMP-xmpMM:History.softwareAgent``; each item of a list is a field of its own. Only what
    stands in the packet's RDF counts. Raises :class:`MetadataError`.
    """
    fields = _parsed(packet)
    identifier = next((field.value for field in fields if field.name == _EXTENSION), None)
    rest = _joined(identifier.encode(), extended) if identifier and extended else None
    return (*fields, *(_parsed(rest) if rest else ()))


def _joined(identifier: bytes, parts: Sequence[Part]) -> bytes | None:
    """The extended XMP of that identifier, its MD5; None where a part is missing or changed."""
    mine = sorted((offset, data) for name, _, offset, data in parts if name == identifier)
    whole = b"".join(data for _, data in mine)
    digest = md5(whole, usedforsecurity=False).hexdigest().upper().encode()
    return whole if digest == identifier.upper() else None


def _parsed(packet: bytes) -> tuple[Field, ...]:
    properties = _Properties()
    parser = DefusedXMLParser(target=properties, forbid_dtd=True)
    try:
        parser.feed(packet.rstrip(b"\0"))
        return tuple(parser.close())
    except MetadataError:
        raise
    except DefusedXmlException as fault:
        raise MetadataError(Fault.FORBIDDEN) from fault
    except Exception as fault:  # expat's own error, or one of a text in no known encoding
        raise MetadataError(Fault.UNREADABLE) from fault


class _Properties:
    """Collects the properties while the parser reads, without building a tree."""

    def __init__(self) -> None:
        self._fields: list[Field] = []
        self._nodes = 0
        #: The open elements, and for each inside a description the names that lead to it.
        self._open: list[str] = []
        self._paths: list[tuple[str, ...] | None] = []
        self._texts: list[list[str]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        self._nodes += 1 + len(attributes)
        if self._nodes > _MAX_NODES or len(self._open) >= _MAX_DEPTH:
            raise MetadataError(Fault.OVERSIZED)
        path = self._path(tag)
        self._open.append(tag)
        self._paths.append(path)
        self._texts.append([])
        if path is None:
            return
        for name, value in attributes.items():
            if name == f"{{{_RDF}}}resource" and path:
                self._add(path, value)
            elif not name.startswith(("{http://www.w3.org/", "xml", f"{{{_RDF}}}")):
                self._add((*path, name), value)

    def data(self, text: str) -> None:
        """Take a piece of an element's text."""
        if self._texts:
            self._texts[-1].append(text)

    def end(self, _: str) -> None:
        """End an element: what text it has is the value of its property."""
        self._open.pop()
        path, texts = self._paths.pop(), self._texts.pop()
        if path:
            self._add(path, "".join(texts))

    def close(self) -> list[Field]:
        """All properties, in the order of the packet."""
        return self._fields

    def _path(self, tag: str) -> tuple[str, ...] | None:
        """The names from the description to this element; None outside every description."""
        parent = self._paths[-1] if self._paths else None
        if parent is not None:
            return parent if tag.startswith(f"{{{_RDF}}}") else (*parent, tag)
        inside = self._open[-1:] == [f"{{{_RDF}}}RDF"] and self._open[:-1] in ([], [_META])
        return () if inside and tag == f"{{{_RDF}}}Description" else None

    def _add(self, path: tuple[str, ...], value: str) -> None:
        text = value.strip()[:_MAX_TEXT]
        if text:
            schema, _, name = path[0].lstrip("{").rpartition("}")
            members = [part.rpartition("}")[2] for part in path[1:]]
            group = f"XMP-{_PREFIXES.get(schema, 'other')}"
            self._fields.append(Field(f"{group}:{'.'.join([name, *members])}", text))
