"""Measured numbers about what was read on a page, which tell what its text alone hides."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.result.line import Line
from worker.ocr.page.direction import run_down
from worker.ocr.page.quality import Quality

UNSURE = 0.7  # a character with less confidence is unsure
FEWEST_LINES = 6  # fewer say nothing of how a page is laid out
FEWEST_HANZI = 12  # fewer say nothing of the direction that they are written in


def measure_reading(lines: Sequence[Line]) -> Quality:
    """Return what can be said of the lines that were read, None where they are too few to tell.

    unsure_characters: share of the characters that are unsure. single_characters: share of the lines that hold one
    character. vertical_characters: share of the hanzi whose nearest one stands below or above. All 0..1.
    """
    confidences = [c.confidence for line in lines for c in line.characters if not c.text.isspace()]
    single = [len(line.text) == 1 for line in lines]
    return {
        "unsure_characters": _share(np.array(confidences) < UNSURE, 1),
        "single_characters": _share(np.array(single), FEWEST_LINES),
        "vertical_characters": _share(_run_down(lines), FEWEST_HANZI),
    }


def _share(flags: NDArray[np.bool_], fewest: int) -> float | None:
    return round(float(flags.mean()), 3) if len(flags) >= fewest else None


def _run_down(lines: Sequence[Line]) -> NDArray[np.bool_]:
    """Return for each hanzi, (N,), whether it was read across and its nearest neighbour stands in its column."""
    across = [line for line in lines if not _is_column(line)]
    places = np.array([place for line in across for place in _hanzi(line)], np.float64).reshape(-1, 2)
    return run_down(places) if len(places) >= FEWEST_HANZI else np.zeros(0, np.bool_)


def _is_column(line: Line) -> bool:
    (ax, ay), (bx, by), *_ = line.polygon
    return abs(by - ay) > abs(bx - ax)


def _hanzi(line: Line) -> list[tuple[float, float]]:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = line.polygon
    left, right = ((ax + dx) / 2, (ay + dy) / 2), ((bx + cx) / 2, (by + cy) / 2)
    middles = [(c.start + c.end) / 2 for c in line.characters if unicodedata.name(c.text[0], "").startswith("CJK UNI")]
    return [(left[0] + at * (right[0] - left[0]), left[1] + at * (right[1] - left[1])) for at in middles]
