"""A recogniser in onnxruntime: line images in, logits out. Make one per process, after the fork."""

from __future__ import annotations

import os
import pathlib

import numpy as np
from numpy.typing import NDArray

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime's wheel reports to its maker unless told before it is loaded
import onnxruntime

from models.card import ModelCard, ModelFileError, sha256_of
from models.line_image import prepare

WEIGHTS = pathlib.Path(__file__).with_name("weights")
DEFAULT = "crnn-zh-en"
FILE_NAME = "model.onnx"


class Recognizer:
    """One loaded model.

    Attributes:
        card: what the file says of itself.
    """

    def __init__(self, path: pathlib.Path, name: str, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.enable_cpu_mem_arena = False  # the arena keeps the largest page's memory for ever
        options.enable_mem_pattern = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ModelFileError(
                f"{path} is no model that onnxruntime can load: {error}. Restore or re-export it."
            ) from error
        self.card = ModelCard.from_metadata(self.session.get_modelmeta().custom_metadata_map, name, sha256_of(path))
        self.input_name = self.session.get_inputs()[0].name

    def prepare(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8 gray, 0 = black -> (1, input_height, W') float32, W' a multiple of 4."""
        return prepare(gray, self.card.input_height)

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 1, input_height, W) float32 -> (N, W / 4, C) float32, class 0 is the blank."""
        return self.session.run(None, {self.input_name: batch})[0]  # type: ignore[no-any-return]


def load(name: str = "", *, threads: int = 1) -> Recognizer:
    """The model `name`: a folder below models/weights, a folder with model.onnx, or an .onnx file; "" is the default.

    Raises:
        ModelFileError: there is no such model, or its file cannot be used.
    """
    name = name or DEFAULT
    candidates = [WEIGHTS / name / FILE_NAME, pathlib.Path(name) / FILE_NAME, pathlib.Path(name)]
    for path in candidates:
        if path.is_file():
            return Recognizer(path, name if path != candidates[2] else path.stem, threads)
    installed = ", ".join(names()) or "none"
    raise ModelFileError(f"There is no model {name!r}. Installed: {installed}. Set OCRELAY_MODEL to one, or to a path.")


def names() -> list[str]:
    """Models that are installed in models/weights."""
    return sorted(path.parent.name for path in WEIGHTS.glob(f"*/{FILE_NAME}"))
