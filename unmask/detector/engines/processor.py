"""What this machine's processor can multiply quickly."""

from __future__ import annotations

import platform
import re
from functools import cache
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
#: Instructions, as Linux names them, that a network's products are faster by; the fastest first.
KNOWN = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512_vnni", "avx_vnni")


@cache
def abilities() -> frozenset[str]:
    """Which of the known instructions the processor offers; none where that cannot be read."""
    try:
        text = CPUINFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return frozenset()
    flags = re.search(r"^flags\s*:(.*)$", text, re.MULTILINE)
    return frozenset(KNOWN) & frozenset(flags[1].split() if flags else ())


def described() -> str:
    """The processor in a few words: its kind, and the instructions that count."""
    found = [name for name in KNOWN if name in abilities()]
    return f"{platform.machine()}, {', '.join(found) or 'no instructions for short numbers'}"
