"""A page out of its own text layer: nothing is recognised, and every character is sure."""

from __future__ import annotations

from shared.result import Character, Line, Page, Reason, as_polygon
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.decode.text_layer import LayerLine
from worker.ocr.text import words

SURE = 1.0
MOST_ELSEWHERE = 0.25  # share of the ink: a figure, a table's rules; with more there may be writing that is a drawing
DRAWN = (
    "A good part of the page is drawn or a picture, and its own text says nothing of it. "
    "Where writing is missing, send text_layer=ignore."
)


def to_page(found: LayerPage, *, warned: bool = True) -> Page:
    """Return the page as it would have been recognised, in pixels of the resolution at which it would be rendered."""
    elsewhere = round(found.elsewhere, 4)
    quality: dict[str, float | None] = {
        "width": found.width,
        "height": found.height,
        "dpi": round(found.dpi, 1),
        "ink_elsewhere": elsewhere,
    }
    missing = Reason("text_may_be_missing", "ink_elsewhere", elsewhere, MOST_ELSEWHERE, DRAWN)
    return Page(
        found.page_number,
        found.width,
        found.height,
        angle=0.0,
        quality=quality,
        lines=tuple(_to_line(line) for line in found.lines),
        warnings=(missing,) if warned and elsewhere > MOST_ELSEWHERE else (),
        source="text_layer",
    )


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
