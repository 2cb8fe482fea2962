"""A page at the sizes at which it is looked at: every copy is made once, and its ink is found once."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink import components
from worker.ocr.ink.components import Pieces
from worker.ocr.ink.ink import Gray, Ink, find_ink

MOST_PIXELS = 2_000_000  # a larger page is usually looked at on a smaller copy


class Copies:
    """The copies of one page. gray: (H, W) uint8, the page itself."""

    def __init__(self, gray: Gray) -> None:
        self.gray = gray
        self._images = {1.0: gray}
        self._inks: dict[float, Ink] = {}
        self._pieces: dict[tuple[float, bool, bool], Pieces] = {}

    @property
    def usual_scale(self) -> float:
        """How many times as large as the page the copy is that is looked at first, at most 1."""
        return min(1.0, float((MOST_PIXELS / max(1, self.gray.size)) ** 0.5))

    def image(self, scale: float) -> Gray:
        """Return the page at a size, (H * scale, W * scale) uint8."""
        if scale not in self._images:
            self._images[scale] = resized(self.gray, scale)
        return self._images[scale]

    def ink(self, scale: float) -> Ink:
        """Return the ink of the page at a size."""
        if scale not in self._inks:
            self._inks[scale] = find_ink(self.image(scale))
        return self._inks[scale]

    def pieces(self, scale: float, *, with_specks: bool = False) -> Pieces:
        """Return the pieces of ink of both polarities, px of the page at a size."""
        dark, light = (self._pieces_of(scale, is_dark=is_dark, with_specks=with_specks) for is_dark in (True, False))
        return Pieces(np.concatenate([dark.boxes, light.boxes]), np.concatenate([dark.areas, light.areas]))

    def are_dark(self, scale: float) -> NDArray[np.bool_]:
        """Return which of the pieces at a size are darker than their surroundings, (N,)."""
        counts = [len(self._pieces_of(scale, is_dark=is_dark)) for is_dark in (True, False)]
        return np.repeat(np.array([True, False]), counts)

    def main_ink(self, scale: float) -> Gray:
        """Return the mask of the polarity that has more ink, (H * scale, W * scale) uint8, 255 = ink."""
        return self.ink(scale).dark if self._is_dark(scale) else self.ink(scale).light

    def main_pieces(self, scale: float) -> Pieces:
        """Return the pieces of ink of the polarity that has more, px of the page at a size."""
        return self._pieces_of(scale, is_dark=self._is_dark(scale))

    def _is_dark(self, scale: float) -> bool:
        ink = self.ink(scale)
        return bool(np.count_nonzero(ink.dark) >= np.count_nonzero(ink.light))

    def _pieces_of(self, scale: float, *, is_dark: bool, with_specks: bool = False) -> Pieces:
        key = scale, is_dark, with_specks
        if key not in self._pieces:
            ink = self.ink(scale)
            self._pieces[key] = components.find_pieces(ink.dark if is_dark else ink.light, with_specks=with_specks)
        return self._pieces[key]


def resized(gray: Gray, scale: float) -> Gray:
    """Return an image at another size; at its own it is the same array."""
    if scale == 1.0:
        return gray
    height, width = gray.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(gray, size, interpolation=method), np.uint8)
