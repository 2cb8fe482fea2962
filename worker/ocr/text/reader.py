"""Line images to text with one recogniser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.calibration import Calibration
from models.charset import Charset
from models.frames import Frames
from models.ngram import Ngram
from shared.options import DEFAULT_CHARSET, CharsetName
from worker.ocr.text import one_by_one
from worker.ocr.text.decoder import Decoder, Reading
from worker.ocr.text.one_by_one import LineImage

Gray = NDArray[np.uint8]


class Card(Protocol):
    """The part of a model card that a result names, and what is needed to decode."""

    @property
    def name(self) -> str:
        """Of the model."""

    @property
    def version(self) -> str:
        """Of the weights."""

    @property
    def sha256(self) -> str:
        """Of the weights' file, hexadecimal."""

    @property
    def charset(self) -> Charset:
        """What the labels mean."""

    @property
    def calibration(self) -> Calibration:
        """How its probabilities become confidences."""

    @property
    def input_height(self) -> int:
        """Pixels that its line images are high."""

    @property
    def time_stride(self) -> int:
        """Pixels of its line images for each frame."""

    @property
    def margin(self) -> float:
        """What its line images have around the line on every side, as a share of the line's height."""


class LineRecognizer(Protocol):
    """A line recogniser; `models.recognizer.Recognizer` is one."""

    @property
    def card(self) -> Card:
        """What the model says of itself."""

    @property
    def ngram(self) -> Ngram | None:
        """What follows what in text; None: unsure characters are read without."""

    def prepare(self, gray: NDArray[np.uint8]) -> LineImage:
        """(H, W) uint8, 0 = black -> (channels, input_height, W') float32, W' a multiple of the time stride."""

    def frames(self, batch: NDArray[np.float32]) -> list[Frames]:
        """(N, channels, input_height, W) float32 -> W / time_stride frames of each line."""


@dataclass(frozen=True)
class LineReader:
    """How the lines of one document are read.

    charset: what may be read. checkpoint: called before each line. is_glance: all that counts is how well a line
    reads, so the n-gram is left out, which costs most where least can be read.
    """

    recognizer: LineRecognizer
    charset: CharsetName = DEFAULT_CHARSET
    checkpoint: Callable[[], None] = lambda: None
    is_glance: bool = False

    def read(self, images: Sequence[Gray]) -> list[Reading]:
        """Return what stands in each line image, (h, w) uint8, 0 = black."""
        card = self.recognizer.card
        ngram = None if self.is_glance else self.recognizer.ngram
        decoder = Decoder(card.charset, card.calibration, ngram, self.charset)
        prepared = [self.recognizer.prepare(image) for image in images]
        paths = one_by_one.recognise_lines(prepared, self.recognizer, self.checkpoint, decoder.read)
        frames = card.input_height / card.time_stride
        return [
            decoder.decode(path)._replace(
                frame_count=image.shape[1] / image.shape[0] * frames, margin=card.margin, model=card.name
            )
            for path, image in zip(paths, images, strict=True)
        ]
