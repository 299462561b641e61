"""Opens a model file with ONNX Runtime, once its sha256 is what its manifest says."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import onnxruntime

from unmask.errors import UnmaskError


def open_session(path: Path, sha256: str, threads: int = 0) -> Any:
    """An ONNX Runtime session over ``path``.

    ``threads`` bounds the run time's own threads (0: one a core). Raises ``model_missing`` or
    ``model_mismatch``. A GPU is used where the run time offers CUDA.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnmaskError(
            "model_missing", f"The model file {path.name} cannot be read.", path=str(path)
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise UnmaskError(
            "model_mismatch",
            f"{path.name} is not the file that its manifest names; restore or re-export it.",
            expected=sha256,
            found=found,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or (os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # threads that spin while they wait take the processor from decoding, drawing and the server
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    offered = onnxruntime.get_available_providers()
    if "CUDAExecutionProvider" in offered:
        # CUDA and cuDNN came as packages beside the run time, where the loader does not look.
        onnxruntime.preload_dlls(directory="")
    return onnxruntime.InferenceSession(
        data, options, providers=[name for name in wanted if name in offered]
    )
