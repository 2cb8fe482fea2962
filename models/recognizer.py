"""A recogniser in onnxruntime: line images in, logits out. Make one per process, after the fork."""

from __future__ import annotations

import pathlib
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.card import ModelCard, ModelFileError, sha256_of
from models.frames import Frames
from models.line_image import prepare
from models.ngram import FILE_NAME as NGRAM_NAME
from models.ngram import Ngram
from models.session import open_session

WEIGHTS = pathlib.Path(__file__).with_name("weights")
DEFAULT = "crnn-zh-en"
DETECTORS = "detector-"  # how the folders of models begin that find lines and read none
FILE_NAME = "model.onnx"


class Recognizer:
    """One loaded model.

    Attributes:
        card: what the file says of itself.
        ngram: from the file beside the model's; None: there is none, and the decoder does without.
    """

    def __init__(self, path: pathlib.Path, name: str, threads: int = 1) -> None:
        self.session = open_session(path, threads)
        self.card = ModelCard.from_metadata(self.session.get_modelmeta().custom_metadata_map, name, sha256_of(path))
        self.input_name = self.session.get_inputs()[0].name
        beside = path.with_name(NGRAM_NAME)
        self.ngram = Ngram(beside, self.card.charset) if beside.is_file() else None

    def prepare(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8 gray, 0 = black -> (1, input_height, W') float32, W' a multiple of 4."""
        return prepare(gray, self.card.input_height)

    def frames(self, batch: NDArray[np.float32]) -> list[Frames]:
        """(N, 1, input_height, W) float32 -> W / 4 frames of each line, class 0 is the blank."""
        logits, *gated = self.session.run(None, {self.input_name: batch})
        if not gated:
            return [Frames.of(line) for line in logits]
        lines, frames = gated[0].T  # in the order of lines, then frames
        ends = np.searchsorted(lines, np.arange(len(batch) + 1))
        count = batch.shape[3] // self.card.time_stride
        return [Frames(count, frames[a:b], logits[a:b]) for a, b in pairwise(ends.tolist())]

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, 1, input_height, W) float32 -> (N, W / 4, C) float32, class 0 is the blank."""
        return np.stack([frames.dense() for frames in self.frames(batch)])


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
    found = (path.parent.name for path in WEIGHTS.glob(f"*/{FILE_NAME}"))
    return sorted(name for name in found if not name.startswith(DETECTORS))
