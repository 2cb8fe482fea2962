"""Ink of a page that is no writing, whatever is drawn: rules, frames, filled places, long curves."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.bool_]

FILLED = 0.012  # of the page's longer side: what is thicker in both directions is no stroke of a letter
RULE = 0.06  # the same: what goes straight on for so long is none, either
CURVE = 0.15  # the same: what hangs together and reaches so far is no letter and no word
_EDGE = np.ones((3, 3), np.uint8)  # what is left around a drawing that was taken away


def without_drawings(ink: Ink) -> Ink:
    """Return the ink, (H, W), that may be writing."""
    side = max(ink.shape)
    image = ink.astype(np.uint8)
    thick, long = (max(3, round(share * side)) for share in (FILLED, RULE))
    drawn = np.zeros_like(image)
    for shape in ((thick, thick), (1, long), (long, 1)):
        drawn |= np.asarray(cv2.morphologyEx(image, cv2.MORPH_OPEN, np.ones(shape, np.uint8)), np.uint8)
    image[cv2.dilate(drawn, _EDGE) > 0] = 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(image, connectivity=8)
    reach = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1)
    small = reach <= CURVE * side
    small[0] = False  # what is no ink
    return np.asarray(small[labels], np.bool_)
