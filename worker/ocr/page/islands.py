"""Values printed white on black inside a line, or the other way round: the recogniser wants one polarity in a line."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray

STEP = 4  # px: every 4th column tells whether it is worth a look
LEAST_CONTRAST = 60  # grey levels between the tenths of a line that may hold an island
TALL = 0.65  # of the line's height: an island is at least as high ...
WIDE, WIDEST = 1.1, 0.9  # ... and between so many of its own heights and this share of the line's width
FILLED = (0.45, 0.95)  # share of ground in an island's box; the rest is its writing
BORDER, SOLID = 0.08, 0.9  # of its height, above and below the writing: so much of that is ground


def in_one_polarity(line: Gray) -> Gray:
    """Return a line, (h, w) uint8, with the islands in it inverted; the same array where there are none."""
    height, width = line.shape
    if width < 2 * height:
        return line
    probe = np.ascontiguousarray(line[::2, ::STEP])
    level, _ = cv2.threshold(probe, 0, 255, cv2.THRESH_OTSU)
    columns = (probe <= level).mean(axis=0)
    is_light = bool(columns.mean() < 0.5)  # the ground of the line
    if not _may_hold_island(columns if is_light else 1 - columns, height / STEP):
        return line
    low, high = np.percentile(line, (10, 90))
    if high - low < LEAST_CONTRAST:
        return line
    dark = line <= level
    mask = (dark if is_light else ~dark).astype(np.uint8)
    _, _, pieces, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    result = line
    for left, top, wide, tall, _ in pieces[1:].tolist():
        if tall < TALL * height or wide < WIDE * tall:
            continue
        first, last = _ends_of_bar(mask[top : top + tall, left : left + wide])
        place = slice(top, top + tall), slice(left + first, left + last)
        fits = WIDE * tall <= last - first <= WIDEST * width
        if fits and FILLED[0] <= mask[place].mean() <= FILLED[1]:
            result = line.copy() if result is line else result
            result[place] = np.clip(low + high - result[place].astype(np.float32), 0, 255).astype(np.uint8)
    return result


def _may_hold_island(ground: NDArray[Any], height: float) -> bool:
    """Tell whether some columns beside each other, (w,) shares of the other polarity, are mostly filled."""
    filled = np.concatenate([[False], ground >= 0.5, [False]])
    edges = np.flatnonzero(filled[1:] != filled[:-1])
    return bool(len(edges)) and int((edges[1::2] - edges[::2]).max()) >= 0.3 * height


def _ends_of_bar(mask: NDArray[Any]) -> tuple[int, int]:
    """Return the first column of a bar in the box of a piece, and the one behind its last; alike where it is no bar."""
    rows = max(1, round(BORDER * len(mask)))
    through = np.flatnonzero(mask[:rows].all(axis=0) & mask[-rows:].all(axis=0))
    if not len(through):
        return 0, 0
    first, last = int(through[0]), int(through[-1]) + 1
    return (first, last) if len(through) >= SOLID * (last - first) else (0, 0)
