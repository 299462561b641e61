"""Where a picture's own bytes end, how many frames it has and how large it says it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from unmask.images.containers import Fault, Segment, bmp, gif, isobmff, jpeg, png, walk, webp


@dataclass(frozen=True)
class Layout:
    """The result of a walk over a container.

    ``end`` is the offset just after the picture's own bytes, None where the format does not say;
    ``frames`` counts those of an animation, or pages; ``size`` is the width and height that the
    container claims, in pixels and before any rotation, None where only Pillow tells; ``video``
    says that a short video lies among the parts; ``fault`` says why the walk ended early.
    """

    end: int | None = None
    frames: int = 1
    size: tuple[int, int] | None = None
    video: bool = False
    fault: Fault | None = None

    @property
    def complete(self) -> bool:
        """False when the file stops before its last part does."""
        return self.fault is not Fault.TRUNCATED


def layout(data: bytes, kind: str) -> Layout:
    """Walk over ``data``, a file of the format ``kind`` (as ``sniff`` names it). Never raises."""
    parts = walk(data, kind)
    summary = _SUMMARIES[kind](parts)
    parts.finish()
    return replace(summary, end=parts.end, fault=parts.fault)


def _jpeg(parts: Iterable[Segment]) -> Layout:
    sizes = (jpeg.frame_size(part) for part in parts)
    return Layout(size=next((size for size in sizes if size), None))


def _png(parts: Iterable[Segment]) -> Layout:
    size, frames = None, 0
    for number, part in enumerate(parts):
        if number == 0 and part.tag == "IHDR":
            size = png.size(part)
        frames += part.tag == "fcTL"
    return Layout(size=size, frames=max(frames, 1))


def _gif(parts: Iterable[Segment]) -> Layout:
    parts, frames = iter(parts), 0
    screen = next(parts)
    size = gif.size(screen)
    for part in parts:
        if part.tag == "image" and not frames:
            size = gif.canvas(screen, part)
        frames += part.tag == "image"
    return Layout(size=size, frames=max(frames, 1))


def _webp(parts: Iterable[Segment]) -> Layout:
    size, frames = None, 0
    for number, part in enumerate(parts):
        size = webp.size(part) if number == 0 else size
        frames += part.tag == "ANMF"
    return Layout(size=size, frames=max(frames, 1))


def _bmp(parts: Iterable[Segment]) -> Layout:
    return Layout(size=next(bmp.size(part) for part in parts))


def _tiff(parts: Iterable[Segment]) -> Layout:
    return Layout(frames=max(sum(1 for _ in parts), 1))


def _isobmff(parts: Iterable[Segment]) -> Layout:
    size, video = None, False
    for number, part in enumerate(parts):
        video = video or part.tag == "mpvd" or (part.tag == "ftyp" and number > 0)
        size = size or (isobmff.largest_item(part) if part.tag == "meta" else None)
    return Layout(size=size, video=video)


_SUMMARIES: dict[str, Callable[[Iterable[Segment]], Layout]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "GIF": _gif,
    "WEBP": _webp,
    "BMP": _bmp,
    "TIFF": _tiff,
    "AVIF": _isobmff,
    "HEIF": _isobmff,
}
