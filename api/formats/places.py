"""Where words and characters lie: exact where recognition said so, else divided by how wide characters usually are."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.result import Line, Word
from shared.result.polygon import Point, Polygon

HANZI = 1.0
NARROW = 0.5
"""Advance widths in heights of a hanzi: those of most fonts for what is not full width, on average."""
_ADVANCES = {
    **dict.fromkeys("ijl|!'.,:;`·", 0.26),
    **dict.fromkeys('ft()[]{}I /\\-"*r', 0.33),
    **dict.fromkeys("mwMW@%&—", 0.85),
    **dict.fromkeys("ABCDEFGHJKLNOPQRSTUVXYZ", 0.66),
}


@dataclass(frozen=True)
class Box:
    """An upright rectangle in whole pixels of the page, right and bottom beyond its last pixel."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top


@dataclass(frozen=True)
class Cell:
    """One character. start, end: where it begins and ends along its line, as shares of what `read_polygon` spans."""

    text: str
    start: float
    end: float


@dataclass(frozen=True)
class PlacedWord:
    """A word of a line. is_spaced: a space stands before it in the text of the line."""

    text: str
    confidence: float
    polygon: Polygon
    is_spaced: bool


def advance(character: str) -> float:
    """How wide a character usually is, in heights of a hanzi."""
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return HANZI
    return _ADVANCES.get(character, NARROW)


def box_of(polygon: Polygon, width: int, height: int) -> Box:
    """The smallest box around a polygon, within a page of this size and at least one pixel large."""
    xs, ys = [x for x, _ in polygon], [y for _, y in polygon]
    left, top = min(max(0, math.floor(min(xs))), width - 1), min(max(0, math.floor(min(ys))), height - 1)
    right, bottom = min(max(math.ceil(max(xs)), left + 1), width), min(max(math.ceil(max(ys)), top + 1), height)
    return Box(left, top, right, bottom)


def around(boxes: Sequence[Box]) -> Box:
    """The smallest box around boxes; there is at least one."""
    return Box(
        min(box.left for box in boxes),
        min(box.top for box in boxes),
        max(box.right for box in boxes),
        max(box.bottom for box in boxes),
    )


def line_box(line: Line, width: int, height: int) -> Box:
    """The box around a line and its words, whose polygons may be a pixel out of the line's."""
    polygons = [line.polygon, *(word.polygon for word in words_of(line))]
    return around([box_of(polygon, width, height) for polygon in polygons])


def words_of(line: Line) -> list[PlacedWord]:
    """The words of a line in their order; those that were stored, where they spell the line's text."""
    if is_spelled(line):
        return [
            PlacedWord(word.text, word.confidence, word.polygon, is_spaced)
            for word, is_spaced in zip(line.words, _spaced(line.text, [word.text for word in line.words]), strict=True)
        ]
    return [
        PlacedWord(_text(run), line.confidence, part_of(line.polygon, run[0].start, run[-1].end), is_spaced)
        for run, is_spaced in _runs(_divided(line.text, 0.0, 1.0))
    ]


def read_polygon(line: Line) -> Polygon:
    """What `cells_of` tells shares of: the line from its first word to its last, as high as its words are.

    They may be a little higher than the line's own polygon, which is tight around the writing. It is the line's own
    where the words are not used.
    """
    if has_exact_cells(line) or not is_spelled(line):
        return line.polygon
    first, last = line.words[0].polygon, line.words[-1].polygon
    return first[0], last[1], last[2], first[3]


def has_exact_cells(line: Line) -> bool:
    """Whether the place of each character of the text is known."""
    return bool(line.characters) and "".join(character.text for character in line.characters) == line.text


def cells_of(line: Line) -> list[Cell]:
    """Each character of a line's text with its place; never one that begins before the one before it ends."""
    if has_exact_cells(line):
        cells = [Cell(character.text, character.start, character.end) for character in line.characters]
    elif is_spelled(line):
        cells = _by_words(line)
    else:
        cells = _divided(line.text, 0.0, 1.0)
    return list(_in_order(cells))


def is_spelled(line: Line) -> bool:
    """Whether the stored words, one after the other, are the line's text without its spaces."""
    return bool(line.words) and "".join(word.text for word in line.words) == "".join(line.text.split())


def part_of(polygon: Polygon, start: float, end: float) -> Polygon:
    """The part of a line's polygon between two shares of its width."""
    top_left, top_right, bottom_right, bottom_left = polygon
    return (
        _between(top_left, top_right, start),
        _between(top_left, top_right, end),
        _between(bottom_left, bottom_right, end),
        _between(bottom_left, bottom_right, start),
    )


def _between(a: Point, b: Point, share: float) -> Point:
    return round(a[0] + share * (b[0] - a[0]), 1), round(a[1] + share * (b[1] - a[1]), 1)


def _spaced(text: str, words: Sequence[str]) -> Iterator[bool]:
    """Whether a space stands before each word in the text; never before the first."""
    at = len(text) - len(text.lstrip())
    for number, word in enumerate(words):
        left = text[at:]
        rest = left.lstrip()
        yield number > 0 and rest != left
        at += len(left) - len(rest) + len(word)


def _runs(cells: Sequence[Cell]) -> Iterator[tuple[list[Cell], bool]]:
    """Split at spaces, and around each character that is as wide as a hanzi, as recognition does."""
    run: list[Cell] = []
    is_first, is_spaced = True, False
    for cell in cells:
        is_wide = advance(cell.text) == HANZI
        if run and (cell.text.isspace() or is_wide or advance(run[-1].text) == HANZI):
            yield run, is_spaced
            run, is_first, is_spaced = [], False, False
        if cell.text.isspace():
            is_spaced = not is_first
        else:
            run.append(cell)
    if run:
        yield run, is_spaced


def _by_words(line: Line) -> list[Cell]:
    cells: list[Cell] = []
    polygon = read_polygon(line)
    for word, is_spaced in zip(line.words, _spaced(line.text, [word.text for word in line.words]), strict=True):
        start, end = _shares(polygon, word)
        if is_spaced:
            cells.append(Cell(" ", cells[-1].end, max(start, cells[-1].end)))
        cells += _divided(word.text, start, end)
    return cells


def _shares(polygon: Polygon, word: Word) -> tuple[float, float]:
    """Where a word begins and ends along its line: the middles of its ends, projected on the middle of the line."""
    top_left, top_right, bottom_right, bottom_left = polygon
    start, end = _middle(top_left, bottom_left), _middle(top_right, bottom_right)
    across = (end[0] - start[0], end[1] - start[1])
    square = across[0] ** 2 + across[1] ** 2 or 1.0
    a, b, c, d = word.polygon
    places = [
        ((x - start[0]) * across[0] + (y - start[1]) * across[1]) / square for x, y in (_middle(a, d), _middle(b, c))
    ]
    return places[0], places[1]


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _divided(text: str, start: float, end: float) -> list[Cell]:
    """The characters of a text between two places, each as wide as it usually is."""
    advances = [advance(character) for character in text]
    unit = (end - start) / (sum(advances) or 1.0)
    cells, at = [], start
    for character, wide in zip(text, advances, strict=True):
        cells.append(Cell(character, at, at + wide * unit))
        at += wide * unit
    return cells


def _in_order(cells: Sequence[Cell]) -> Iterator[Cell]:
    last = -math.inf
    for cell in cells:
        start = max(cell.start, last)
        last = max(cell.end, start)
        yield Cell(cell.text, start, last)


def _text(cells: Sequence[Cell]) -> str:
    return "".join(cell.text for cell in cells)
