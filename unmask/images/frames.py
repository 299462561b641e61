"""Which frames of an animation are examined: those that people see.

The first frame may be blank, or flash by before another picture that stays. So frames are told
apart by their look, and the time that each look is shown is added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from unmask.images.containers import walk

_ANIMATED = (PngImageFile, GifImageFile, WebPImageFile, AvifImageFile)
#: Looks are compared at SIDE x SIDE, of 256 levels: how much the lightest and the darkest place of
#: a frame that shows something differ, and by how much no place of two frames of one look differs.
#: A face that was swapped moves a few places alone, so the average of all would say nothing.
_SIDE, _CONTRAST, _OTHER = 64, 16, 6.0
#: Pixels that are decoded to choose, and looks that are told apart.
_BUDGET, _MAX_LOOKS = 150_000_000, 64
#: Frames of an animation that are examined.
_MAX_FRAMES = 3
#: Browsers show frames that ask for no more than 10 milliseconds for 100.
_HURRIED, _USUAL = 10.0, 100.0
#: A frame that the animation stops at is shown for as long as this, in milliseconds.
_FOREVER = 1e9

_REDUCIBLE = frozenset({"L", "LA", "RGB", "RGBA"})
#: The major brands by which decoders of AVIF choose between a sequence and its still picture.
_SEQUENCE, _STILL = b"avis", b"avif"

_Look = NDArray[np.float32]


@dataclass(eq=False)
class _Shown:
    """A look: the first frame that has it, and for how many milliseconds it is shown in all."""

    frame: int
    look: _Look
    milliseconds: float = 0.0

    @property
    def is_blank(self) -> bool:
        return bool(np.ptp(self.look, axis=(0, 1)).max() < _CONTRAST)


@dataclass(frozen=True)
class Frames:
    """Numbers of the frames to examine, as Pillow counts: ``shown`` are seen in the animation, in
    their order; ``hidden`` is one that only viewers show that know no animation."""

    shown: tuple[int, ...]
    hidden: int | None = None


def with_one_control(data: bytes, kind: str) -> bytes:
    """``data`` without all but the first acTL of a PNG: browsers play an animation that has two of
    them, Pillow shows its default image."""
    if kind != "PNG":
        return data
    seconds = [chunk for chunk in walk(data, kind) if chunk.tag == "acTL"][1:]
    starts, ends = [0, *(chunk.end for chunk in seconds)], [chunk.offset for chunk in seconds]
    parts = [data[start:end] for start, end in zip(starts, [*ends, len(data)], strict=True)]
    return b"".join(parts) if seconds else data


def may_be_animated(image: ImageFile) -> bool:
    """Whether a file is of a format that has frames, and not pages or pictures of their own."""
    return isinstance(image, _ANIMATED)


def frames_to_examine(image: ImageFile) -> Frames:
    """Choose the frames of an animation; a still picture has one.

    Decodes frames of ``image``, which is of no use afterwards. Where none of an animation can be
    decoded, viewers show its first picture.
    """
    try:
        count = int(getattr(image, "n_frames", 1))
        return _frames(image, count) if count > 1 else Frames((0,))
    except Exception:
        return Frames((0,))


def _frames(image: ImageFile, count: int) -> Frames:
    start = 1 if getattr(image, "default_image", False) else 0
    affordable = max(_BUDGET // (image.width * image.height), start + 1)
    default = _look(image) if start else None
    turns = _turns(image, range(start, min(count, affordable)), count)
    is_hidden = default is not None and not _is_same(default, turns[0][0].look)
    return Frames(_chosen(turns) or (start,), 0 if is_hidden else None)


def still_of_sequence(data: bytes) -> bytes | None:
    """The file of the still picture in an AVIF sequence, which viewers show that play none; None
    where there is no sequence, or both show the same."""
    if data[8:12] != _SEQUENCE:
        return None
    still = data[:8] + _STILL + data[12:]
    try:
        sequence, alone = AvifImageFile(BytesIO(data)), AvifImageFile(BytesIO(still))
        if sequence.n_frames == 1 or alone.size != sequence.size:
            return None
        return None if _is_same(_look(alone), _look(sequence)) else still
    except Exception:  # many sequences have no still picture
        return None


def _turns(image: ImageFile, numbers: range, count: int) -> list[tuple[_Shown, float]]:
    """The look of each frame in turn, and the milliseconds that the frame is shown."""
    looks: list[_Shown] = []
    turns: list[tuple[_Shown, float]] = []
    size = image.size
    for number in numbers:
        try:
            image.seek(number)
            look = _look(image)
        except Exception:
            if not turns:
                raise
            break  # a damaged frame ends the animation; what came before it was shown
        if image.size != size:  # a GIF whose frame lies beyond its screen
            continue
        shown = next((item for item in looks if _is_same(item.look, look)), None)
        if shown is None:
            shown = _Shown(number, look)
            looks = [*looks, shown][-_MAX_LOOKS:]
        milliseconds = _duration(image, is_last=number == count - 1)
        shown.milliseconds += milliseconds
        turns.append((shown, milliseconds))
    return turns


def _chosen(turns: list[tuple[_Shown, float]]) -> tuple[int, ...]:
    """The first look that shows something, the longest of the others, and the one at half time,
    which tells most of an animation that never rests: so all of an animation of few looks."""
    clear = [turn for turn in turns if not turn[0].is_blank]
    if not clear:
        return ()
    ends = np.cumsum([milliseconds for _, milliseconds in clear])
    first, middle = clear[0][0], clear[int(np.searchsorted(ends, ends[-1] / 2))][0]
    others = dict.fromkeys(look for look, _ in clear if look is not first)
    longest, *rest = sorted(others, key=lambda look: -look.milliseconds) or [first]
    chosen = dict.fromkeys(look.frame for look in (first, longest, middle, *rest))
    return tuple(sorted(tuple(chosen)[:_MAX_FRAMES]))


def _duration(image: ImageFile, *, is_last: bool) -> float:
    # Without a word on repetition a GIF is played once; 0 means for ever.
    plays_once = image.info.get("loop", 1 if isinstance(image, GifImageFile) else 0)
    if is_last and plays_once:
        return _FOREVER
    asked = float(image.info.get("duration", 0) or 0)
    return asked if asked > _HURRIED else _USUAL


def _look(image: ImageFile) -> _Look:
    """The frame reduced to (SIDE, SIDE, 4): red, green, blue where they show, and opacity."""
    image.load()
    # A large frame is not copied; one with a palette cannot be reduced without.
    is_flat = image.mode in _REDUCIBLE and "transparency" not in image.info
    flat: Image.Image = image if is_flat else image.convert("RGBA")
    small = flat.resize((_SIDE, _SIDE), Image.Resampling.BOX).convert("RGBA")
    look = np.asarray(small, np.float32)
    alpha = look[..., 3:]
    return np.concatenate([look[..., :3] * alpha / 255, alpha], axis=-1)


def _is_same(one: _Look, other: _Look) -> bool:
    return bool(np.abs(one - other).max() < _OTHER)
