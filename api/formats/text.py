"""`text`: the text alone; with `layout=true` as it stands on the page."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from api.formats.format import Format, Source, as_utf8
from api.formats.paragraphs import Placed, placed_lines
from api.formats.places import HANZI, advance
from shared.result import Page

FORM_FEED = "\f"
MOST_BLANK_LINES = 2
MOST_COLUMNS = 500
"""So wide a page gets at most, however small its writing is."""


def make(source: Source) -> str:
    """The lines, one below the other, an empty line between pages; with the layout a form feed, as other tools do."""
    if not source.choices.layout:
        return source.result.text + "\n"
    return FORM_FEED.join(laid_out(page) + "\n" for page in source.result.pages)


def laid_out(page: Page) -> str:
    """The text of a page with its columns and indentations kept by spaces, a hanzi as wide as two of them.

    A row is at least as wide as its text: where print is narrower than elsewhere, what follows moves right.
    """
    lines = placed_lines(page)
    if not lines:
        return ""
    column = median((line.right - line.left) / max(1, columns_of(line.line.text)) for line in lines)
    left = min(line.left for line in lines)
    height = median(line.height for line in lines)
    texts: list[str] = []
    bottom = None
    for row in rows_of(lines):
        if bottom is not None:
            gap = min(line.top for line in row) - bottom
            texts += [""] * min(MOST_BLANK_LINES, max(0, int(gap / height)))
        bottom = max(line.bottom for line in row)
        texts.append(_row(row, left, max(column, page.width / MOST_COLUMNS)))
    return "\n".join(texts)


def rows_of(lines: Sequence[Placed]) -> list[list[Placed]]:
    """Lines side by side, from left to right; rows from top to bottom."""
    rows: list[list[Placed]] = []
    for line in sorted(lines, key=lambda line: line.top + line.bottom):
        if rows and _overlap(line, rows[-1][0]) > 0.5 * min(line.height, rows[-1][0].height):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def columns_of(text: str) -> int:
    """How many spaces a text is as wide as, where every character is as wide as one or two."""
    return sum(2 if advance(character) == HANZI else 1 for character in text)


def _row(row: Sequence[Placed], left: float, column: float) -> str:
    text = ""
    for line in row:
        wanted = round((line.left - left) / column)
        text += " " * max(wanted - columns_of(text), 1 if text else 0)
        text += line.line.text
    return text.rstrip()


def _overlap(a: Placed, b: Placed) -> float:
    return min(a.bottom, b.bottom) - max(a.top, b.top)


FORMAT = Format(
    "text",
    "text/plain",
    "txt",
    "the text alone; `layout=true` keeps columns and indentation by spaces",
    as_utf8(make),
    choices=frozenset({"layout"}),
)
