"""One line image as the network sees it: the only place where height, aspect and grey values are normalised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 32
MARGIN = 0.06  # of the line height on every side; our recognisers are trained with it
TIME_STRIDE = 4
PADDING = 0.0
MINIMUM_WIDTH = 8


def prepare(
    gray: NDArray[np.uint8],
    height: int = HEIGHT,
    *,
    normalisation: str = "line-standardise",
    channels: int = 1,
    time_stride: int = TIME_STRIDE,
) -> NDArray[np.float32]:
    """Scale a line to the network's height and normalise its grey values.

    Args:
        gray: (H, W) uint8, 0 = black; dark text on light or light on dark.
        height: height of the result in pixels.
        normalisation: a name in `RULES`.
        channels: 1, or 3 for a network that was trained on colour: each gets the same grey.
        time_stride: pixels of width for one frame of output.

    Returns:
        (channels, height, W') float32; aspect kept; W' is a multiple of `time_stride` and at least what `NARROWEST`
        says, columns beyond the line hold `PADDING`. With `line-standardise` the line has mean 0 and deviation about 1.
    """
    rows, columns = gray.shape
    width = max(1, round(columns * height / rows))
    method = cv2.INTER_AREA if rows > height else cv2.INTER_LINEAR
    scaled = cv2.resize(gray, (width, height), interpolation=method).astype(np.float32)
    padded = max(NARROWEST[normalisation], -(-width // time_stride) * time_stride)
    line = np.full((channels, height, padded), PADDING, np.float32)
    line[:, :, :width] = RULES[normalisation](scaled)
    return line


def standardise(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(x - mean) / (deviation + 8): contrast and brightness of the scan fall out, a blank line stays near 0."""
    standard: NDArray[np.float32] = ((values - values.mean()) / (values.std() + 8.0)).astype(np.float32)
    return standard


def centre(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """0..255 to -1..1, as PP-OCR's recognisers want it."""
    centred: NDArray[np.float32] = (values / 127.5 - 1.0).astype(np.float32)
    return centred


RULES: Final[dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]]] = {
    "line-standardise": standardise,
    "centre": centre,
}

NARROWEST: Final = {
    "line-standardise": MINIMUM_WIDTH,
    "centre": 256,  # px; PP-OCR's networks saw shorter lines padded to 320, and read words worse below this
}
