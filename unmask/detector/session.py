"""Opens a model file with ONNX Runtime, if its sha256 is what its manifest says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from unmask.cores import own_cores
from unmask.errors import UnmaskError

# Nothing of ours is sent anywhere, and the run time shall not try either.
onnxruntime.disable_telemetry_events()

#: A product of unsigned by signed 8-bit numbers, as large as they can be, and what it should give.
PROBE = Path(__file__).parent / "models" / "int8-probe.onnx"
PROBE_TERMS, PROBE_RESULT = 64, 255 * 127 * 64
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
VERSION: str = onnxruntime.__version__
Provider = str | tuple[str, dict[str, Any]]


def read_checked(path: Path, sha256: str) -> bytes:
    """The bytes of a model's file; raises ``model_missing`` or ``model_mismatch``."""
    with checked_beside(path, sha256) as data:
        return data


@contextmanager
def checked_beside(path: Path, sha256: str) -> Iterator[bytes]:
    """The bytes of a model's file, whose sha256 is computed while the block opens them.

    Raises ``model_missing``; and at the end of the block ``model_mismatch``, whatever the block
    raised, so that nothing which it opened is used where the file is another.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnmaskError(
            "model_missing", f"The model file {path.name} cannot be read.", path=str(path)
        ) from error
    # OpenSSL computes outside Python's lock
    with ThreadPoolExecutor(1, "unmask-sha256") as pool:
        hashed = pool.submit(hashlib.sha256, data)
        try:
            yield data
        finally:
            _compare(path, sha256, hashed.result().hexdigest())


def _compare(path: Path, expected: str, digest: str) -> None:
    if digest != expected:
        raise UnmaskError(
            "model_mismatch",
            f"{path.name} is not the file that its manifest names; restore or re-export it.",
            expected=expected,
            found=digest,
        )


def open_session(
    path: Path,
    sha256: str,
    threads: int = 0,
    weights: Mapping[str, Any] | None = None,
    providers: Sequence[Provider] = (CUDA, CPU),
) -> Any:
    """An ONNX Runtime session over ``path``.

    ``threads`` bounds the run time's own threads (0: one a core). ``weights`` are arrays that take
    the places of the file's constants of the same names. Of ``providers`` those are used that the
    run time offers. Raises ``model_missing`` or ``model_mismatch``.
    """
    options = _options(threads)
    if int8_overflows():
        # then weights are read as unsigned numbers, which takes longer and is exact
        options.add_session_config_entry("session.x64quantprecision", "1")
    # the session reads these arrays where they lie, so they have to live as long as it does
    values = [
        (name, onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array)))
        for name, array in (weights or {}).items()
    ]
    for name, value in values:
        options.add_initializer(name, value)
    offered = offered_providers()
    wanted = [item for item in providers if _name(item) in offered]
    if any(_name(item) != CPU for item in wanted):
        # CUDA and cuDNN came as packages beside the run time, where the loader does not look.
        onnxruntime.preload_dlls(directory="")
    with checked_beside(path, sha256) as data:
        session = onnxruntime.InferenceSession(data, options, providers=wanted)
    session.unmask_weights = values
    return session


def offered_providers() -> tuple[str, ...]:
    """What the installed ONNX Runtime can compute on."""
    return tuple(onnxruntime.get_available_providers())


def giving_back() -> Any:
    """Options of a run after which a session gives back the memory that its arena took for it: for
    inputs that are larger than usual, or the process would keep it for good."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _name(provider: Provider) -> str:
    return provider if isinstance(provider, str) else provider[0]


@cache
def int8_overflows() -> bool:
    """Whether this processor loses the upper part of sums of 8-bit products, as those without
    VNNI do: ONNX Runtime then has to be told to multiply in another way."""
    session = onnxruntime.InferenceSession(
        PROBE.read_bytes(), _options(1), providers=["CPUExecutionProvider"]
    )
    left = np.full((1, PROBE_TERMS), 255, np.uint8)
    (product,) = session.run(None, {"left": left})
    return bool(np.any(product != PROBE_RESULT))


def _options(threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or own_cores()
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # threads that spin while they wait take the processor from decoding, drawing and the server
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options
