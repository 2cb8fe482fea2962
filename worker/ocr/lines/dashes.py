"""Rules drawn as rows of dashes or dots: all pieces alike and flat, which no writing is."""

from __future__ import annotations

import numpy as np

from worker.ocr.ink.components import Boxes

FLAT = 1.4  # width to height of a dash
ALIKE = 0.3  # of the mean width, standard deviation: letters that run together differ more
FEWEST = 5  # in a row; fewer are minus signs


def are_dashes(row: Boxes) -> bool:
    """Tell whether the pieces of a row, (N, 4) px, are the dashes of a rule."""
    if len(row) < FEWEST:
        return False
    wide, tall = (row[:, 2] - row[:, 0]).astype(np.float64), (row[:, 3] - row[:, 1]).astype(np.float64)
    return bool(np.median(wide / np.maximum(tall, 1.0)) >= FLAT and wide.std() <= ALIKE * wide.mean())
