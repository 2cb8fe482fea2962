"""One line image as the network sees it: the only place where height, aspect and grey values are normalised."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 32
TIME_STRIDE = 4
PADDING = 0.0
MINIMUM_WIDTH = 8


def prepare(gray: NDArray[np.uint8], height: int = HEIGHT) -> NDArray[np.float32]:
    """Scale a line to the network's height and standardise its grey values.

    Args:
        gray: (H, W) uint8, 0 = black; dark text on light or light on dark.
        height: height of the result in pixels.

    Returns:
        (1, height, W') float32; aspect kept, mean 0 and deviation about 1 over the line; W' is a multiple of
        `TIME_STRIDE` and at least `MINIMUM_WIDTH`, columns beyond the line hold `PADDING`.
    """
    rows, columns = gray.shape
    width = max(1, round(columns * height / rows))
    method = cv2.INTER_AREA if rows > height else cv2.INTER_LINEAR
    scaled = cv2.resize(gray, (width, height), interpolation=method).astype(np.float32)
    padded = max(MINIMUM_WIDTH, -(-width // TIME_STRIDE) * TIME_STRIDE)
    line = np.full((1, height, padded), PADDING, np.float32)
    line[0, :, :width] = standardise(scaled)
    return line


def standardise(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """(x - mean) / (deviation + 8): contrast and brightness of the scan fall out, a blank line stays near 0."""
    standard: NDArray[np.float32] = ((values - values.mean()) / (values.std() + 8.0)).astype(np.float32)
    return standard
