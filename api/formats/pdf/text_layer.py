"""Invisible text where the writing is: one run for each line, turned as the line is, each character in its place.

Readers put runs together to words and lines. poppler takes a character for part of a word only where its foot is within
half a point of the word's first; so in a line that is a little tilted each word is a level run of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pikepdf import Matrix

from api.formats.pdf.font import ASCENT, EM, GlyphlessFont
from api.formats.places import HANZI, Cell, advance, cells_of, read_polygon
from shared.result import Line
from shared.result.polygon import Point

INVISIBLE = 3
"""Text rendering mode. Source: ISO 32000-1, 9.3.6."""
BELOW_BASELINE = 1 - ASCENT / EM
STEADY_POINTS = 0.4
"""A line that rises less from end to end is one run."""
LEVEL = 0.3
"""A word that rises by less than this share of its height is put down level; a steeper one is turned."""


@dataclass(frozen=True)
class Axes:
    """Where a line lies, px of the page: the middle of its left end, its unit vectors, its size."""

    start: Point
    right: Point
    up: Point
    width: float
    height: float

    @classmethod
    def of(cls, line: Line) -> Axes:
        """Of a line; its polygon need not be a rectangle."""
        (ax, ay), (bx, by), (cx, cy), (dx, dy) = read_polygon(line)
        across = ((bx - ax + cx - dx) / 2, (by - ay + cy - dy) / 2)
        width = math.hypot(*across) or 1.0
        right = (across[0] / width, across[1] / width)
        up = (right[1], -right[0])
        height = max(1.0, ((ax - dx + bx - cx) * up[0] + (ay - dy + by - cy) * up[1]) / 2)
        return cls(((ax + dx) / 2, (ay + dy) / 2), right, up, width, height)

    def level(self, share: float) -> Axes:
        """The same without its tilt, so high that it meets the line at a share of its width."""
        x, y = self.start
        start = (x, y + share * self.width * self.right[1])
        return Axes(start, (self.right[0], 0.0), (0.0, -1.0), self.width, self.height)

    def matrix(self, share: float) -> Matrix:
        """From ems to pixels, at the baseline at a share of its width."""
        x, y = self.start
        along, rise = share * self.width, self.height * (BELOW_BASELINE - 0.5)
        (rx, ry), (ux, uy), em = self.right, self.up, self.height
        return Matrix(em * rx, em * ry, em * ux, em * uy, x + along * rx + rise * ux, y + along * ry + rise * uy)


def content_of(lines: Iterable[Line], font: GlyphlessFont, name: str, to_points: Matrix) -> bytes:
    """The content stream that lays the text of lines over a page.

    Args:
        lines: Of the page.
        font: Which the page knows by `name`.
        name: With its slash.
        to_points: From pixels of the page, y down, to the user space of the PDF.
    """
    runs = [run for line in lines for run in _runs(line, font, to_points)]
    return f"BT\n{INVISIBLE} Tr\n{name} 1 Tf\n".encode() + b"".join(runs) + b"ET\n"


def _runs(line: Line, font: GlyphlessFont, to_points: Matrix) -> Iterator[bytes]:
    axes, cells = Axes.of(line), cells_of(line)
    if not cells:
        return
    pixel = math.hypot(to_points.a, to_points.b)
    slope = axes.right[1] / axes.right[0] if axes.right[0] > 0.5 else math.inf
    if slope == 0 or abs(slope) * axes.width * pixel < STEADY_POINTS or abs(slope) > LEVEL:
        yield _run(cells, axes, font, to_points)
        return
    for word in _words(cells, STEADY_POINTS / (abs(slope) * axes.width * pixel)):
        middle = (word[0].start + word[-1].end) / 2
        is_steep = abs(slope) * (word[-1].end - word[0].start) * axes.width > LEVEL * axes.height
        yield _run(word, axes if is_steep else axes.level(middle), font, to_points)


def _words(cells: Sequence[Cell], share: float) -> Iterator[list[Cell]]:
    """Cut a line after its spaces, and between hanzi where a piece is longer than a share of the line."""
    word: list[Cell] = []
    for cell in cells:
        is_cut = bool(word) and (
            (word[-1].text.isspace() and not cell.text.isspace())
            or (cell.end - word[0].start > share and HANZI in (advance(word[-1].text), advance(cell.text)))
        )
        if is_cut:
            yield word
            word = []
        word.append(cell)
    if word:
        yield word


def _run(cells: Sequence[Cell], axes: Axes, font: GlyphlessFont, to_points: Matrix) -> bytes:
    """A text matrix whose unit is the line's height, and one string.

    A character is as wide as the way to the next one. Widths are rounded to about a pixel, so that there are few of
    them, and each character begins where it does for all that was rounded before it.
    """
    step = max(1, round(EM / axes.height))
    scale = EM * axes.width / axes.height
    ends = [*(cell.start for cell in cells[1:]), cells[-1].end]
    codes, at = b"", cells[0].start * scale
    for cell, end in zip(cells, ends, strict=True):
        wide = max(0, round((end * scale - at) / step) * step)
        codes += font.encode(cell.text, wide)
        at += wide
    matrix = axes.matrix(cells[0].start) @ to_points
    numbers = " ".join(f"{number:.4f}".rstrip("0").rstrip(".") for number in matrix.shorthand)
    return f"{numbers} Tm <{codes.hex()}> Tj\n".encode()
