"""Join boxes that are words of one line: nearer to each other than columns ever are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.ocr.lines.classical import linking

Box = NDArray[np.float32]  # (4, 2) px, clockwise from the line's top-left

WORD_GAP = 0.5  # of the lower one's height; a wider gap was seen, and found to part lines
OVERLAP = 0.9  # of the lower one's height; boxes may run into each other so far
OFF = 0.3  # of the lower one's height: how far the facing ends may lie above each other
ALIKE = 0.6  # least ratio of the heights
NARROW = 1.6  # of the height; a box with less width is a lone digit's, which is wider than the digit


def join_words(boxes: Sequence[Box], gaps: NDArray[np.float64] | float = WORD_GAP) -> list[Box]:
    """Return the boxes with the parts of each line joined into one, in no order.

    gaps: of the lower one's height, how far behind each box the next may begin; (N,) or one for all.
    """
    if len(boxes) < 2:
        return list(boxes)
    corners = np.stack(boxes).astype(np.float64)
    tall = np.linalg.norm(corners[:, 3] - corners[:, 0], axis=1)
    wide = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    start, end = (corners[:, 0] + corners[:, 3]) / 2, (corners[:, 1] + corners[:, 2]) / 2
    gap = start[None, :, 0] - end[:, None, 0]  # from the end of the row's box to the start of the column's
    off = np.abs(start[None, :, 1] - end[:, None, 1])
    low, high = np.minimum(tall[:, None], tall[None]), np.maximum(tall[:, None], tall[None])
    fits = (gap > -OVERLAP * low) & (gap < np.reshape(gaps, (-1, 1)) * low) & (off < OFF * low) & (low > ALIKE * high)
    fits &= (wide[:, None] > NARROW * low) & (wide[None] > NARROW * low)
    fits &= (start[:, None, 0] < start[None, :, 0]) & (end[:, None, 0] < end[None, :, 0])
    left, right = np.nonzero(fits)
    groups = linking.members(linking.join(len(boxes), left, right))
    return [_around(corners[part]) if len(part) > 1 else boxes[part[0]] for part in groups]


def _around(corners: NDArray[np.float64]) -> Box:
    """Return the box from the start of the first to the end of the last of some boxes, (N, 4, 2) px."""
    first, last = corners[corners[:, 0, 0].argmin()], corners[corners[:, 1, 0].argmax()]
    return np.array([first[0], last[1], last[2], first[3]], np.float32)
