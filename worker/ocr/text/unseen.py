"""Ink in a line's image where no character was read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.ocr.text.decoder import Reading

REACH = 0.75  # of the distance between characters; ink farther than this from each of them belongs to none
PITCHES = (0.3, 0.55, 1.1)  # of the height: least, usual and most distance between characters
LEAST_WIDTH = 0.75  # of the distance between characters: a place that is narrower holds no character

Values = NDArray[np.float32]


def unseen_ink(image: NDArray[np.uint8], reading: Reading) -> Values:
    """Return how many characters the ink in each column of a line, (h, w) uint8, would fill, (w,).

    It is 0 near the characters that were read; their mean ink is what fills one.
    """
    rows, columns = image.shape
    change = image.std(axis=0, dtype=np.float32)
    ink = np.maximum(change - np.percentile(change, 10), 0).astype(np.float32)
    centres = _centres(reading, columns)
    if not ink.any() or not len(centres):
        return np.zeros_like(ink)
    between = np.concatenate([[-np.inf], centres, [np.inf]])
    places = np.arange(columns) + 0.5
    after = np.searchsorted(centres, places) + 1
    distance = np.minimum(places - between[after - 1], between[after] - places)
    is_far = distance > REACH * _pitch(centres, rows)
    return np.asarray(np.where(is_far, ink, 0) * (len(centres) / float(ink.sum())), np.float32)


def unseen_places(image: NDArray[np.uint8], reading: Reading, least: float) -> list[tuple[float, float]]:
    """Return from where to where a line, (h, w) uint8, holds at least so many characters that were not read.

    Both are shares of the width. Ink is only looked at where the characters leave room for it.
    """
    rows, columns = image.shape
    centres = _centres(reading, columns)
    if not len(centres):
        return []
    free = REACH * _pitch(centres, rows)
    starts = np.concatenate([[0.0], centres + free])
    ends = np.concatenate([centres - free, [float(columns)]])
    wide = ends - starts >= LEAST_WIDTH * free / REACH
    if not wide.any():
        return []
    sums = np.concatenate([[0.0], np.cumsum(unseen_ink(image, reading))])
    first, last = (np.clip(np.rint(edges[wide]), 0, columns).astype(np.intp) for edges in (starts, ends))
    found = sums[last] - sums[first] >= least
    return [(int(a) / columns, int(b) / columns) for a, b in zip(first[found], last[found], strict=True)]


def _centres(reading: Reading, columns: int) -> NDArray[np.float64]:
    """Return the middles of the characters in px, (N,)."""
    scale = columns / max(reading.frame_count, 1e-6)
    return np.array([(peak.first + peak.last + 1) / 2 * scale for peak in reading.peaks if peak.text != " "])


def _pitch(centres: NDArray[np.float64], rows: int) -> float:
    """Return the distance between characters in px, that of a line so many px high where they are few."""
    least, usual, most = (share * rows for share in PITCHES)
    return min(max(float(np.median(np.diff(centres))), least), most) if len(centres) > 2 else usual
