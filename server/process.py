"""What the server asks of the system for its process: open files, and memory given back."""

from __future__ import annotations

import ctypes
import logging
import resource

LOG = logging.getLogger("unmask.server.process")
#: glibc's number for the option; a block of at least so many bytes is given back once it is freed.
M_MMAP_THRESHOLD = -3
LARGE = 1_000_000


def raise_file_limit() -> None:
    """Let this process open as many files as it may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65_536)
    if soft != wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError):  # macOS has a lower limit of its own.
            LOG.warning("the limit of open files stays", extra={"files": soft})


def give_memory_back() -> None:
    """Let the memory of a large picture return to the system as soon as it is freed.

    glibc keeps blocks of a size for later once such a block was freed: after some large uploads at
    one time a server would hold on to all of it. Elsewhere this does nothing.
    """
    try:
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE)
    except (AttributeError, OSError):
        LOG.debug("this system's memory allocator has no such option")
