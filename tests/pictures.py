"""Pictures for the tests, good and hostile, all made on the fly: no test reads a stored picture."""

from __future__ import annotations

import struct
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
from PIL import Image

#: The eight formats that are read, as Pillow and we name them.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
#: Lossy formats and palettes move colours by a little.
RED, GREEN, BLUE, GREY = (220, 30, 30), (30, 200, 40), (40, 40, 210), (128, 128, 128)


def corners(width: int = 64, height: int = 48) -> Image.Image:
    """Four flat quarters: red, green over blue, grey. Shows every turn and mirroring."""
    image = Image.new("RGB", (width, height), GREY)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Something as hard to code as a photograph: soft shapes with some grain."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 255, (height // 16 + 1, width // 16 + 1, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    grain = random.integers(0, 12, (height, width, 1), dtype=np.uint8)
    return Image.fromarray((np.asarray(image) // 2 + 50 + grain).astype(np.uint8))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """``image`` as a file of the format ``kind``, one of :data:`FORMATS`."""
    out = BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(out, **options)
    else:
        image.save(out, kind, **options)
    return out.getvalue()


def stored_as(image: Image.Image, orientation: int) -> tuple[Image.Image, bytes]:
    """``image`` as a camera held at that EXIF orientation stores it, and the EXIF that says so."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = undo.get(orientation)
    return (image if turn is None else image.transpose(turn)), exif.tobytes()


def animation(kind: str, frames: int) -> bytes:
    """An honest animation (or a TIFF of several pages), every frame of another grey."""
    first, *others = [Image.new("RGB", (32, 32), (40 + 9 * n,) * 3) for n in range(frames)]
    out = BytesIO()
    if kind == "HEIF":
        file = pillow_heif.from_pillow(first)
        for other in others:
            file.add_from_pillow(other)
        file.save(out)
    else:
        first.save(out, kind, save_all=True, append_images=others)
    return out.getvalue()


# ---- bombs: small files that claim to be huge ----------------------------------------------


def png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *chunks: bytes, pixels: bytes = b"\0") -> bytes:
    """A grey 8-bit PNG that claims that size, with ``chunks`` before its pixels."""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + data + png_chunk(b"IEND", b"")


def gif(width: int, height: int, frames: int = 1) -> bytes:
    """A two-colour GIF of that many frames, which holds next to no pixels."""
    sides = struct.pack("<HH", width, height)
    frame = b"!\xf9\x04\0\0\0\0\0,\0\0\0\0" + sides + b"\0\x02\x02\x4c\x01\0"
    return b"GIF89a" + sides + b"\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


def claiming(kind: str, width: int, height: int) -> bytes:
    """A small, otherwise valid file of the format ``kind`` whose header claims that size."""
    if kind == "PNG":
        return png(width, height)
    if kind == "GIF":
        return gif(width, height)
    if kind == "WEBP":
        body = encoded(corners(), "WEBP")[12:]
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        body = b"VP8X" + struct.pack("<I", 10) + bytes(4) + sides + body
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    data = bytearray(encoded(corners(), kind))
    if kind == "JPEG":
        struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, height, width)
    elif kind == "BMP":
        struct.pack_into("<ii", data, 18, width, height)
    elif kind == "TIFF":
        for tag, value in ((256, width), (257, height)):
            at = data.index(struct.pack("<HHI", tag, 4, 1))
            struct.pack_into("<HHII", data, at, tag, 4, 1, value)
    else:
        at = data.index(b"ispe") + 8
        struct.pack_into(">II", data, at, width, height)
    return bytes(data)


def text_bomb(chunk: bytes) -> bytes:
    """A PNG whose compressed text or colour profile inflates to 64 MB."""
    packed = zlib.compress(bytes(64_000_000), 9)
    start = b"name\0\1\0\0\0" if chunk == b"iTXt" else b"name\0\0"
    return png(32, 32, png_chunk(chunk, start + packed), pixels=bytes(33 * 32))


def many_frames(kind: str, frames: int) -> bytes:
    """An animation of that many tiny frames, repeated at byte level: quick to make, small."""
    if kind == "GIF":
        return gif(32, 32, frames)
    if kind == "PNG":
        control = png_chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 32, 32, 0, 0, 1, 10, 0, 0))
        actl = png_chunk(b"acTL", struct.pack(">II", frames, 0))
        return png(32, 32, actl, control * frames, pixels=bytes(33 * 32))
    if kind == "WEBP":
        plain = encoded(Image.new("RGB", (32, 32)), "WEBP")[12:]
        frame = bytes(6) + b"\x1f\0\0" * 2 + bytes(4)
        anmf = b"ANMF" + struct.pack("<I", len(frame + plain)) + frame + plain
        vp8x = b"VP8X" + struct.pack("<IB", 10, 2) + bytes(3) + b"\x1f\0\0" * 2
        body = vp8x + b"ANIM" + struct.pack("<I", 6) + bytes(6) + anmf * frames
        return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body
    if kind == "TIFF":
        return tiff_pages(frames)
    raise ValueError(kind)


def tiff_pages(pages: int, loop: bool = False) -> bytes:
    """A grey TIFF of that many pages that share their pixels; ``loop``: the last leads back."""
    pixels = bytes(range(256)) * 4
    tags = [(256, 4, 32), (257, 4, 32), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8)]
    tags += [(277, 3, 1), (278, 4, 32), (279, 4, 1024)]
    entries = b"".join(struct.pack("<HHII", tag, form, 1, value) for tag, form, value in tags)
    size, start = 2 + len(entries) + 4, 8 + len(pixels)
    chain = [start + size * (page + 1) for page in range(pages)]
    chain[-1] = start if loop else 0
    ifds = (struct.pack("<H", len(tags)) + entries + struct.pack("<I", after) for after in chain)
    return b"II*\0" + struct.pack("<I", start) + pixels + b"".join(ifds)


# ---- second files, and what phones rightly append -------------------------------------------


def archive() -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.sh", "echo hidden " * 20)
    return out.getvalue()


def program() -> bytes:
    return b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0" + bytes(200)


PAGE = b"<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
DOCUMENT = b"%PDF-1.7\n1 0 obj\n<< >>\nendobj\ntrailer\n%%EOF\n"
SECOND_FILES = {
    "zip": archive(),
    "page": PAGE,
    "script": b"<?php system($_GET['c']); ?>",
    "shell": b"#!/bin/sh\nid\n",
    "pdf": DOCUMENT,
    "elf": b"\x7fELF\2\1\1" + bytes(60),
    "pe": program(),
    "rar": b"Rar!\x1a\x07\1\0" + bytes(60),
    "7z": b"7z\xbc\xaf\x27\x1c\0\4" + bytes(60),
}


def video() -> bytes:
    """The boxes of an MP4, as a motion photo carries it."""
    ftyp = b"ftypmp42" + bytes(4) + b"isommp42"
    mdat = b"mdat" + np.random.default_rng(1).bytes(5000)
    return b"".join(struct.pack(">I", len(box) + 4) + box for box in (ftyp, mdat))


def samsung_trailer() -> bytes:
    """Samsung's SEF trailer: named blocks, then a directory that ends in SEFT."""
    block = b"\0\0\x01\n\x0e\0\0\0Image_UTC_Data1699999999999"
    directory = b"SEFH" + struct.pack("<II", 106, 1) + block[:4] + struct.pack("<II", 35, 35)
    return block + directory + struct.pack("<I", len(directory)) + b"SEFT"


def cropped_leftovers() -> bytes:
    """What a careless editor leaves after a shorter copy: compressed data of the older picture."""
    return zlib.compress(np.random.default_rng(2).bytes(20_000))
