"""A page out of its own text layer: nothing is recognised, and every character is sure."""

from __future__ import annotations

from shared.result import Character, Line, Page, as_polygon
from worker.ocr.decode.pdf import LayerPage
from worker.ocr.decode.text_layer import LayerLine
from worker.ocr.text import words

SURE = 1.0


def to_page(found: LayerPage) -> Page:
    """Return the page as it would have been recognised, in pixels of the resolution at which it would be rendered."""
    quality: dict[str, float | None] = {"width": found.width, "height": found.height, "dpi": round(found.dpi, 1)}
    lines = tuple(_to_line(line) for line in found.lines)
    return Page(found.page_number, found.width, found.height, 0.0, quality, lines, source="text_layer")


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
