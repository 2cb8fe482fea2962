"""Ink in a line's image where no character was read."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

import numpy as np
from numpy.typing import NDArray

from worker.ocr.text.decoder import Reading

REACH = 0.75  # of the distance between characters; ink farther than this from each of them belongs to none
PITCHES = (0.3, 0.55, 1.1)  # of the height: least, usual and most distance between characters
LEAST_WIDTH = 1.0  # of the distance between characters: a place that is narrower holds no character

Values = NDArray[np.float32]


def unseen_ink(image: NDArray[np.uint8], reading: Reading) -> Values:
    """Return how many characters the ink in each column of a line, (h, w) uint8, would fill, (w,).

    It is 0 near the characters that were read; their mean ink is what fills one.
    """
    rows, columns = image.shape
    change = image.std(axis=0, dtype=np.float32)
    ink = np.maximum(change - np.percentile(change, 10), 0).astype(np.float32)
    centres = _centres(reading, columns)
    if not ink.any() or not centres:
        return np.zeros_like(ink)
    between = np.concatenate([[-np.inf], centres, [np.inf]])
    places = np.arange(columns) + 0.5
    after = np.searchsorted(centres, places) + 1
    distance = np.minimum(places - between[after - 1], between[after] - places)
    is_far = distance > REACH * _pitch(centres, rows)
    return np.asarray(np.where(is_far, ink, 0) * (len(centres) / float(ink.sum())), np.float32)


def unseen_places(image: NDArray[np.uint8], reading: Reading, least: float) -> list[tuple[float, float]]:
    """Return from where to where a line, (h, w) uint8, holds at least so many characters that were not read.

    Both are shares of the width. Ink is only looked at where the characters leave room for it. A recogniser that widens
    narrow lines may see its characters beyond their end.
    """
    rows, columns = image.shape
    centres = _centres(reading, columns)
    if not centres:
        return []
    pitch = _pitch(centres, rows)
    free = REACH * pitch
    between = zip([0.0, *(at + free for at in centres)], [*(at - free for at in centres), float(columns)], strict=True)
    inside = ((max(0.0, min(a, columns)), max(0.0, min(b, columns))) for a, b in between)
    wide = [(round(a), round(b)) for a, b in inside if b - a >= LEAST_WIDTH * pitch]
    if not wide:
        return []
    sums = np.concatenate([[0.0], np.cumsum(unseen_ink(image, reading))])
    return [(a / columns, b / columns) for a, b in wide if sums[b] - sums[a] >= least]


def _centres(reading: Reading, columns: int) -> list[float]:
    """Return the middles of the characters in px."""
    half = columns / max(reading.frame_count, 1e-6) / 2
    return [(peak.first + peak.last + 1) * half for peak in reading.peaks if peak.text != " "]


def _pitch(centres: list[float], rows: int) -> float:
    """Return the distance between characters in px, that of a line so many px high where they are few."""
    least, usual, most = (share * rows for share in PITCHES)
    return min(max(median(b - a for a, b in pairwise(centres)), least), most) if len(centres) > 2 else usual
