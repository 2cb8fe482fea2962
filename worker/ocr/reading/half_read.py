"""Where ink in a line that was read stands for no character: part of it was left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.line_image import MARGIN
from worker.ocr.page import crops
from worker.ocr.reading.found import Found
from worker.ocr.text.decoder import Reading
from worker.ocr.text.unseen import unseen_places
from worker.ocr.text.words import slice_polygon

LEAST = 1.25  # characters beside what is reckoned to its neighbours; less is a speck, a superscript, or a wide letter


def find_half_read(found: Found, read: Sequence[Reading], kept: Sequence[int]) -> list[NDArray[np.float64]]:
    """Return the places in the lines that were kept where characters were left out, (4, 2) px of the upright page.

    Columns are left: their characters were cut out one by one. So is an image that the sender says is a line.
    """
    if not found.arrangement.searched:
        return []
    places = []
    for i in kept:
        line, reading = found.arrangement.lines[i], read[i]
        if line.cells is not None:
            continue
        page = found.arrangement.upright.image
        is_usual = reading.margin == MARGIN
        image = found.images[i] if is_usual else crops.crop_line(page, line.polygon, reading.margin)
        if not (spans := np.array(unseen_places(image, reading, LEAST)).reshape(-1, 2)).size:
            continue
        quad = np.clip(crops.widen(line.polygon, reading.margin), 0, page.shape[::-1]).astype(np.float64)
        places += list(slice_polygon(quad, spans[:, 0], spans[:, 1]))
    return places
