"""Lines as they are read, and their images, without a recogniser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.line_image import MARGIN
from shared.result import Line, as_polygon
from worker.ocr.ink.ink import Gray
from worker.ocr.reading.parted.cells import part_cells
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import edits
from worker.ocr.text.words import place_characters, split_words

LETTER, STROKE, HEIGHT = 12, 10, 24  # px from one letter to the next, of ink in each, and of a line
GAP, WIDE = 10, 26  # px more between two words of text, and before an amount that stands apart
RIGHT = 500  # px, where a column ends

Seen = tuple[Line, Gray]


def line_of(
    *words: str, row: float, gaps: Sequence[int] = (), right: int = RIGHT, left: int | None = None, raw: str = ""
) -> Seen:
    """Return a line that begins or ends there, as it is read, and its image; its last gaps, px, are `gaps`."""
    text = " ".join(words)
    spaces = [*[GAP] * (len(words) - 1 - len(gaps)), *gaps]
    middles, x = [], 0
    for word, gap in zip(words, [*spaces, 0], strict=True):
        middles += [x + LETTER * i + LETTER // 2 for i in range(len(word))]
        x += LETTER * len(word) + gap
        middles += [x - gap // 2] if gap else []
    width = x - (LETTER - STROKE)
    peaks = [Peak(one, 0.9, at, at) for one, at in zip(text, middles, strict=True)]
    margin = round(MARGIN * HEIGHT)
    image = np.full((HEIGHT + 2 * margin, width + 2 * margin), 240, np.uint8)
    for one, at in zip(text, middles, strict=True):
        if one != " ":
            image[margin:-margin:2, margin + at - LETTER // 2 : margin + at - LETTER // 2 + STROKE] = 20
    left, top = right - width if left is None else left, 40.0 * row
    right = left + width
    polygon = np.array([[left, top], [right, top], [right, top + HEIGHT], [left, top + HEIGHT]], np.float64)
    characters = tuple(place_characters(peaks, width))
    raw = raw or text
    found = tuple(split_words(characters, polygon))
    return Line(text, raw, as_polygon(polygon.tolist()), characters, found, edits(raw, text)), image


def parted(*seen: Seen) -> list[str]:
    """Return the texts of the lines of a page after what stands in columns was parted."""
    return [line.text for line in part_cells([line for line, _ in seen], [image for _, image in seen])]
