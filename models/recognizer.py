"""A recogniser in onnxruntime: line images in, logits out. Make one per process, after the fork."""

from __future__ import annotations

import errno
import pathlib
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.bringing.derive import derive_card
from models.card import ModelFileError
from models.charset import BLANK
from models.frames import Frames
from models.line_image import prepare
from models.ngram import FILE_NAME as NGRAM_NAME
from models.ngram import Ngram
from models.session import open_session

WEIGHTS = pathlib.Path(__file__).with_name("weights")
DEFAULT = "crnn-zh-en"
DETECTORS = "detector-"  # how the folders of models begin that find lines and read none
FILE_NAME = "model.onnx"
CERTAIN = 0.9999  # probability of the blank; a frame above it holds nothing
LEAST_PROBABILITY = 1e-30  # smaller ones have no logarithm in float32 that is safe to add


class Recognizer:
    """One loaded model.

    Attributes:
        card: what the file says of itself.
        ngram: from the file beside the model's; None: there is none, and the decoder does without.
    """

    def __init__(self, path: pathlib.Path, name: str, threads: int = 1) -> None:
        self.session = open_session(path, threads)
        self.card = derive_card(self.session, path, name)
        self.input_name = self.session.get_inputs()[0].name
        beside = path.with_name(NGRAM_NAME)
        self.ngram = Ngram(beside, self.card.charset) if beside.is_file() else None

    def prepare(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8 gray, 0 = black -> (channels, input_height, W') float32, W' a multiple of the time stride."""
        card = self.card
        return prepare(
            gray,
            card.input_height,
            normalisation=card.normalisation,
            channels=card.channels,
            time_stride=card.time_stride,
        )

    def frames(self, batch: NDArray[np.float32]) -> list[Frames]:
        """(N, channels, input_height, W) float32 -> W / time_stride frames of each line, class 0 is the blank.

        Probabilities come as their logarithms, of which the softmax makes the same probabilities again.
        """
        logits, *gated = self.session.run(None, {self.input_name: batch})
        if self.card.output == "probabilities":
            return [_of_probabilities(line) for line in logits]
        if not gated:
            return [Frames.of(line) for line in logits]
        lines, frames = gated[0].T  # in the order of lines, then frames
        ends = np.searchsorted(lines, np.arange(len(batch) + 1))
        count = batch.shape[3] // self.card.time_stride
        return [Frames(count, frames[a:b], logits[a:b]) for a, b in pairwise(ends.tolist())]

    def logits(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N, channels, input_height, W) float32 -> (N, W / time_stride, C) float32, class 0 is the blank."""
        return np.stack([frames.dense() for frames in self.frames(batch)])


def _of_probabilities(line: NDArray[np.float32]) -> Frames:
    """The frames of (T, C) float32 probabilities; the logarithms are taken where the blank is not all but certain."""
    heard = np.flatnonzero(~(line[:, BLANK] >= CERTAIN))  # what is no number is heard, too, so that it can be told
    return Frames(len(line), heard, np.log(np.maximum(line[heard], LEAST_PROBABILITY)))


class Place(NamedTuple):
    """Where a model lies. name: what results call it."""

    path: pathlib.Path
    name: str


def find(name: str = "", installed: pathlib.Path | None = None) -> Place | None:
    """Where the model `name` lies; None: nowhere.

    Args:
        name: a folder below models/weights or below `installed`, a folder with model.onnx, or an .onnx file; "" is the
            default.
        installed: the folder of the models that were added to those of models/weights.
    """
    name = name or DEFAULT
    below = [folder / name / FILE_NAME for folder in (WEIGHTS, installed) if folder]
    path = pathlib.Path(name)
    try:
        for inside in [*below, path / FILE_NAME]:
            if inside.is_file():
                return Place(inside, path.name)
        return Place(path, path.stem) if path.is_file() else None
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return None


def load(name: str = "", *, threads: int = 1, installed: pathlib.Path | None = None) -> Recognizer:
    """The model `name`, as `find` finds it.

    Raises:
        ModelFileError: there is no such model, or its file cannot be used.
    """
    place = find(name, installed)
    if place is None:
        known = ", ".join(names(installed)) or "none"
        raise ModelFileError(f"There is no model {name!r}. Installed: {known}. Set OCRELAY_MODEL to one, or to a path.")
    return Recognizer(place.path, place.name, threads)


def names(installed: pathlib.Path | None = None) -> list[str]:
    """Recognisers of models/weights and those that were added."""
    found = (path.parent.name for folder in (WEIGHTS, installed) if folder for path in folder.glob(f"*/{FILE_NAME}"))
    return sorted({name for name in found if not name.startswith((DETECTORS, "."))})
