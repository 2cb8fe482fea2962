"""Sessions of onnxruntime, all set up alike."""

from __future__ import annotations

import os
import pathlib
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime's wheel reports to its maker unless told before it is loaded
import onnxruntime

from models import int8
from models.bringing.onnx_file import demands
from models.card import ModelFileError


def open_session(path: pathlib.Path, threads: int = 1) -> Any:
    """Load an .onnx file.

    Raises:
        ModelFileError: onnxruntime cannot load it, or it wants data or operators that are not in the file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.enable_cpu_mem_arena = False  # the arena keeps the largest page's memory for ever
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if int8.overflows():
        options.add_session_config_entry(int8.UNSIGNED_WEIGHTS, "1")
    _refuse_demands(path)
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelFileError(
            f"{path} is no model that onnxruntime can load: {error}. Restore or re-export it."
        ) from error


def _refuse_demands(path: pathlib.Path) -> None:
    """Refuse a model that is not complete in its one file: the rest could be any file of this machine."""
    try:
        external, domains = demands(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{path} is no model that onnxruntime can load: {error}. Restore or re-export it."
        ) from error
    if external:
        raise ModelFileError(f"{path} keeps weights in other files (external data). Save it anew as one file.")
    if domains:
        named = ", ".join(sorted(domains))
        raise ModelFileError(f"{path} needs custom operators ({named}). Export it with standard ones only.")
