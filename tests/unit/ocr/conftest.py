"""Pages drawn for the tests, and a recogniser that is honest and five lines long."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from models.calibration import IDENTITY, Calibration
from models.charset import Charset
from models.frames import Frames
from models.line_image import prepare

settings.register_profile("any machine", deadline=None)  # no test depends on how fast it runs
settings.load_profile("any machine")

Gray = NDArray[np.uint8]
Draw = Callable[..., Gray]


@dataclass(frozen=True)
class FakeCard:
    name: str = "ink"
    version: str = "1"
    sha256: str = "0" * 64
    charset: Charset = field(default_factory=lambda: Charset(["x", " "]))
    calibration: Calibration = IDENTITY
    input_height: int = 32
    time_stride: int = 4
    margin: float = 0.06


class InkRecognizer:
    """Reads `x` wherever a frame's columns are dark and a blank elsewhere, so every run of ink is one character."""

    card = FakeCard()
    ngram = None

    def __init__(self) -> None:
        self.batch_shapes: list[tuple[int, ...]] = []

    def prepare(self, gray: Gray) -> NDArray[np.float32]:
        return prepare(gray)

    def frames(self, batch: NDArray[np.float32]) -> list[Frames]:
        self.batch_shapes.append(batch.shape)
        ink = batch[:, 0].reshape(len(batch), 32, -1, 4).mean(axis=(1, 3))
        logits = np.stack([np.zeros_like(ink), -16.0 * ink, np.full_like(ink, -9.0)], axis=2)
        return [Frames.of(line) for line in logits]


@pytest.fixture
def recognizer() -> InkRecognizer:
    return InkRecognizer()


@pytest.fixture
def draw() -> Draw:
    """Draw rows of text, (text, left, baseline), on a page; scale 1 is about 22 px from cap to baseline."""

    def draw_page(
        *rows: tuple[str, int, int],
        size: tuple[int, int] = (600, 800),
        scale: float = 1.0,
        ink: int = 0,
        paper: int = 255,
    ) -> Gray:
        page = np.full(size, paper, np.uint8)
        for text, left, baseline in rows:
            thickness = max(1, round(2 * scale))
            cv2.putText(page, text, (left, baseline), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thickness, cv2.LINE_AA)
        return page

    return draw_page


@pytest.fixture
def encode() -> Callable[..., bytes]:
    """Encode an image with OpenCV."""

    def encode_image(image: NDArray[np.generic], extension: str = ".png") -> bytes:
        return bytes(cv2.imencode(extension, image)[1])

    return encode_image
