"""A page out of its own text layer: nothing is recognised, and every character is sure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.result import Character, Line, Page, Reason, as_polygon
from worker.ocr.decode.layer.glyphs import Glyph
from worker.ocr.decode.layer.lines import LayerLine, to_lines
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.text import words

SURE = 1.0
MOST_ELSEWHERE = 0.25  # share of the ink that may be writing; a table's rules and what is filled do not count
DRAWN = (
    "A good part of the page is drawn or a picture, and its own text says nothing of it. "
    "Where writing is missing, send text_layer=ignore."
)
HIDDEN = (
    "The page holds text that nobody sees: under a bar, without ink, or in nearly the colour of the paper. It was left "
    "out. Look at the places; the file still holds it."
)
MOST_PLACES = 20  # of hidden text


def to_page(found: LayerPage, *, warned: bool = True) -> Page:
    """Return the page as it would have been recognised, in pixels of the resolution at which it would be rendered."""
    elsewhere = round(found.doubtful, 4)
    quality: dict[str, float | None] = {
        "width": found.width,
        "height": found.height,
        "dpi": round(found.dpi, 1),
        "ink_elsewhere": elsewhere,
    }
    missing = Reason("text_may_be_missing", "ink_elsewhere", elsewhere, MOST_ELSEWHERE, DRAWN)
    warnings = [*found.warnings, *([missing] if elsewhere > MOST_ELSEWHERE else [])]
    warnings += hidden_text(found.hidden, found.width, found.height)
    return Page(
        found.page_number,
        found.width,
        found.height,
        angle=0.0,
        quality=quality,
        lines=tuple(_to_line(line) for line in found.lines),
        warnings=tuple(warnings) if warned else (),
        source="text_layer",
    )


def hidden_text(hidden: Sequence[Glyph], width: int, height: int, read: Sequence[Line] = ()) -> list[Reason]:
    """Return the warning that a page of a size in px holds text that nobody sees; none where it was read after all."""
    boxes = [np.array(line.polygon) for line in read]
    parted: list[Glyph | None] = []
    for last, glyph in zip((None, *hidden), hidden, strict=False):
        parted += [None, glyph] if last is not None and glyph.left < last.left else [glyph]
    lines = [line for line in to_lines(parted) if not any(_holds(box, line.polygon.mean(axis=0)) for box in boxes)]
    places = [as_polygon(np.clip(line.polygon, 0, (width, height)).tolist()) for line in lines]
    count = sum(not character.isspace() for line in lines for character in line.text)
    told = Reason("hidden_text", "hidden_characters", float(count), 0.0, HIDDEN, tuple(places[:MOST_PLACES]))
    return [told] if count else []


def _holds(box: NDArray[np.float64], place: NDArray[np.float64]) -> bool:
    return bool(((box.min(axis=0) <= place) & (place <= box.max(axis=0))).all())


def _to_line(found: LayerLine) -> Line:
    characters = [
        Character(text, SURE, start, max(start, end))
        for text, (start, end) in zip(found.text, found.spans, strict=True)
    ]
    return Line(
        text=found.text,
        raw_text=found.text,
        polygon=as_polygon(found.polygon.tolist()),
        characters=tuple(characters),
        words=tuple(words.split_words(characters, found.polygon)),
    )
