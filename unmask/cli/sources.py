"""From the arguments of ``unmask check`` to the pictures that they name."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmask.data_url import decode_data_url, is_data_url, longest_data_url
from unmask.errors import UnmaskError
from unmask.findings import Layer
from unmask.images import Picture, open_picture, read_picture
from unmask.settings import Settings

STDIN = "-"
#: Characters of a data: URL that are shown as its name.
SHOWN_URL = 30
#: Suffixes that a result's pictures add to the name of the photo.
RESULTS = {"annotated": ".annotated.jpg", "mask": ".mask.png", "heatmap": ".heatmap.png"}
#: The same of the layers, for whom they are asked for.
LAYERS = {layer: f".{layer}.png" for layer in Layer}
_SUFFIXES = (*RESULTS.values(), *LAYERS.values())
#: Longest stem of a result's name, in bytes: file systems end at 255.
MAX_STEM = 200


@dataclass(frozen=True)
class Source:
    """One picture to examine, and the ``name`` that it is shown by.

    ``path`` is None for standard input, for a ``data_url``, and where ``error`` says why there is
    no picture.
    """

    name: str
    path: Path | None = None
    error: UnmaskError | None = None
    data_url: str | None = None

    def read(self, settings: Settings) -> Picture:
        """Raises :class:`UnmaskError` with the code of what is wrong."""
        if self.error:
            raise self.error
        if self.data_url is not None:
            return open_picture(decode_data_url(self.data_url, settings.max_bytes), settings)
        if self.path is None:
            return open_picture(_read_stdin(settings.max_bytes), settings)
        return read_picture(self.path, settings)


def find_sources(arguments: Sequence[str], out: Path | None = None) -> list[Source]:
    """The pictures that the arguments name, in their order; a folder's files by name.

    A file that is named twice comes twice. Results of an earlier run in ``out`` are not photos,
    unless they are named themselves.
    """
    sources: list[Source] = []
    for argument in arguments:
        if argument == STDIN:
            again = any(source.name == STDIN for source in sources)
            sources.append(Source(STDIN, error=_read_twice() if again else None))
        elif is_data_url(argument) and not os.path.lexists(argument):
            sources.append(Source(f"{argument.strip()[:SHOWN_URL]}...", data_url=argument))
        elif os.path.isdir(argument):  # noqa: PTH112 - unlike Path, takes any name
            sources += _folder(argument, out)
        elif glob.has_magic(argument) and not os.path.lexists(argument):
            sources += _pattern(argument)
        else:
            sources.append(_file(argument))
    return sources


def name_results(sources: Sequence[Source], out: Path) -> list[str]:
    """The start of the names of each source's results in ``out``: x, x-2, x-3.

    No two are the same, and none would overwrite a photo that is to be examined. A source that is
    an error has no results, and takes no name away.
    """
    photos = {_folded(source.path.resolve()) for source in sources if source.path}
    folder, used, last = out.resolve(), set(), dict[str, int]()

    def is_free(name: str) -> bool:
        results = (_folded(folder / f"{name}{end}") for end in _SUFFIXES)
        return name.casefold() not in used and photos.isdisjoint(results)

    names = []
    for source in sources:
        if source.error is not None:
            names.append("")
            continue
        stem = _short(source.path.stem) if source.path else "data" if source.data_url else "stdin"
        number = last.get(stem, 0) + 1
        while not is_free(name := stem if number == 1 else f"{stem}-{number}"):
            number += 1
        used.add(name.casefold())
        last[stem] = number
        names.append(name)
    return names


def _folded(path: Path) -> str:
    """A path as file systems see it that ignore case."""
    return str(path).casefold()


def _short(stem: str) -> str:
    while len(os.fsencode(stem)) > MAX_STEM:
        stem = stem[:-1]
    return stem


def _file(name: str) -> Source:
    if not name:
        return Source(name, error=UnmaskError("file_not_found", "An empty name names no file."))
    if name.startswith(("http://", "https://")) and not os.path.lexists(name):
        message = "This is an address of the web and no file. Save the picture, then name the file."
        return Source(name, error=UnmaskError("file_not_found", message, path=name))
    return Source(name, Path(name))


def _read_twice() -> UnmaskError:
    return UnmaskError("file_unreadable", "Standard input can be read only once.")


def _folder(folder: str, out: Path | None) -> list[Source]:
    skipped = out.resolve() if out else None
    sources = [
        entry if isinstance(entry, Source) else _file(str(entry))
        for entry in _walk(Path(folder), skipped)
    ]
    if sources:
        return sources
    error = UnmaskError("file_not_found", "The folder holds no files.", path=folder)
    return [Source(folder, error=error)]


def _walk(folder: Path, skipped: Path | None) -> Iterator[Path | Source]:
    """The files of a folder and of those in it, without hidden ones and links to folders."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as fault:
        message = f"The folder cannot be read: {fault.strerror}."
        yield Source(str(folder), error=UnmaskError("file_unreadable", message, path=str(folder)))
        return
    has_results = skipped is not None and folder.resolve() == skipped
    for entry in entries:
        if entry.name.startswith(".") or (has_results and _is_result(entry.name)):
            continue
        if not entry.is_dir():  # pipes and dead links too: reading them says what is wrong
            yield entry
        elif not entry.is_symlink():
            yield from _walk(entry, skipped)


def _is_result(name: str) -> bool:
    return name.endswith(_SUFFIXES)


def _pattern(pattern: str) -> list[Source]:
    paths = [Path(name) for name in glob.glob(pattern, recursive=True)]  # noqa: PTH207
    files: dict[Path, str] = {}
    # ** goes through links to folders, even in circles: the shortest way to a file is kept.
    for path in sorted(paths, key=lambda path: len(path.parts)):
        if not path.is_dir():
            files.setdefault(path.parent.resolve() / path.name, str(path))
    if files:
        return [_file(name) for name in sorted(files.values())]
    message = "No file matches the pattern."
    return [Source(pattern, error=UnmaskError("file_not_found", message, pattern=pattern))]


def _read_stdin(limit: int) -> bytes:
    """Standard input, up to one byte more than the limit, which is enough to be refused; where it
    holds a ``data:`` URL, the bytes in that."""
    if sys.stdin is None:
        raise UnmaskError("file_unreadable", "Standard input is closed.")
    try:
        data = sys.stdin.buffer.read(limit + 1)
        if not is_data_url(data[:64].decode("latin-1")):
            return data
        data += sys.stdin.buffer.read(longest_data_url(limit) - len(data))
    except OSError as fault:
        message = f"Standard input cannot be read: {fault.strerror}."
        raise UnmaskError("file_unreadable", message) from fault
    return decode_data_url(data.decode("latin-1"), limit)
