"""Sessions of onnxruntime, all set up alike."""

from __future__ import annotations

import os
import pathlib
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime's wheel reports to its maker unless told before it is loaded
import onnxruntime

from models.card import ModelFileError


def open_session(path: pathlib.Path, threads: int = 1) -> Any:
    """Load an .onnx file.

    Raises:
        ModelFileError: onnxruntime cannot load it.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False  # the arena keeps the largest page's memory for ever
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelFileError(
            f"{path} is no model that onnxruntime can load: {error}. Restore or re-export it."
        ) from error
