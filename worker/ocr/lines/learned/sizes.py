"""Part lines at a change of size: a large number and its small unit are each read at their own height.

The recogniser sees every line equally high, and what is small beside large writing is then too small for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.lines.learned.growing import owners
from worker.ocr.lines.text_line import TextLine

LARGER = 1.75  # times as high: digits and capitals are up to 1.55 times as high as the small letters beside them ...
LARGER_HANZI = 2.5  # ... and hanzi up to 2.2 times
WIDE = 0.85  # width to height: where one is so wide they may be hanzi
FEWEST = 2  # characters on either side agree; one alone may be a superscript, or a mark
FOOT = 0.15  # of the larger height: all stand on one base line; superscripts do not
GAP = 0.05  # of the larger height: white between the sizes
FLAT = 0.35  # height to width: a dash, or the hanzi of one stroke, tells no size ...
DOT = 0.2  # ... nor does what is so low, of the larger height
LEAST = 0.32  # of the larger height: the higher one of the small characters, or they are dots that lead elsewhere
LEAST_PIXELS = 8  # px: lower ones are specks
OVERLAP = 0.3  # of the narrower piece: pieces that lie above each other are one character
SLACK = 0.05, 1.0  # of the height, and px at least: what is left free around the ink of a part
STEEP = 0.5  # a line that rises by more px per px is left


def part_sizes(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines, those parted in which the size changes. pieces: (N, 4) px, the page's ink."""
    of = owners(pieces, lines)
    worth = set(_may_change(of, pieces).tolist())
    return [part for i, line in enumerate(lines) for part in (_parts(line, pieces[of == i]) if i in worth else [line])]


def _may_change(of: NDArray[np.intp], pieces: Boxes) -> NDArray[np.intp]:
    """Return the lines that hold several pieces which are much lower than their highest, and not too low.

    Args:
        of: (N,), the line that holds each piece; -1: none.
        pieces: (N, 4) px.
    """
    tall = (pieces[:, 3] - pieces[:, 1])[of >= 0]
    of = of[of >= 0]
    most = np.zeros(int(of.max(initial=-1)) + 1, np.int64)
    np.maximum.at(most, of, tall)
    is_lower = (tall >= LEAST_PIXELS) & (tall >= DOT * most[of]) & (LARGER * tall <= most[of])
    lower = np.bincount(of[is_lower], minlength=len(most))
    counted = np.bincount(of[is_lower & (tall >= LEAST * most[of])], minlength=len(most))
    return np.flatnonzero((counted > 0) & (lower >= FEWEST))


def _parts(line: TextLine, pieces: Boxes) -> list[TextLine]:
    if _is_steep(line):
        return [line]
    characters = _characters(pieces)
    ends = [0, *_cuts(characters), len(characters)]
    if len(ends) == 2:
        return [line]
    return [_line_of(line, characters[a:b]) for a, b in pairwise(ends)]


def _is_steep(line: TextLine) -> bool:
    """Tell whether a line is tilted; that of a large number with a small unit seems to be, as its middle falls."""
    width, rise = np.abs(line.polygon[1] - line.polygon[0]).tolist()
    return bool(rise > STEEP * width)


def _characters(pieces: Boxes) -> Boxes:
    """Return the pieces from left to right, those that lie above each other as one: (M, 4) px."""
    result: list[list[int]] = []
    for left, top, right, bottom in pieces[np.argsort(pieces[:, 0], kind="stable")].tolist():
        last = result[-1] if result else None
        if last and last[2] - left >= OVERLAP * min(right - left, last[2] - last[0]):
            last[1:] = [min(last[1], top), max(last[2], right), max(last[3], bottom)]
        else:
            result.append([left, top, right, bottom])
    return np.array(result, np.int32).reshape(-1, 4)


def _cuts(characters: Boxes) -> list[int]:
    """Return before which characters the size changes: of those beside it, and in the median up to the next change."""
    wide, tall = (characters[:, 2:] - characters[:, :2]).T
    sized = np.flatnonzero((tall > FLAT * wide) & (tall > DOT * tall.max()))
    heights = tall[sized]
    lower, higher = np.minimum(heights[:-1], heights[1:]), np.maximum(heights[:-1], heights[1:])  # of two neighbours
    is_step = (lower[:-FEWEST] >= LARGER * higher[FEWEST:]) | (lower[FEWEST:] >= LARGER * higher[:-FEWEST])
    found = []
    for at in (np.flatnonzero(is_step) + FEWEST).tolist():
        before, after = sized[at - FEWEST : at], sized[at : at + FEWEST]
        if _changes(characters[before], characters[after]):
            found.append((at, int(before[-1]) + 1))
        elif _changes(characters[after], characters[before]):
            found.append((at, int(after[0])))
    if not found:
        return []
    parts = np.split(characters[sized], [at for at, _ in found])
    return [cut for (_, cut), one, other in zip(found, parts[:-1], parts[1:], strict=True) if _differ(one, other)]


def _differ(one: Boxes, other: Boxes) -> bool:
    """Tell whether the characters of two parts, (N, 4) and (M, 4) px, are of different size in the median."""
    small, large = sorted((one, other), key=_median_height)
    wide, tall = (large[:, 2:] - large[:, :2]).T
    times = LARGER_HANZI if (wide > WIDE * tall).any() else LARGER
    return _median_height(large) >= times * _median_height(small)


def _median_height(characters: Boxes) -> float:
    return float(np.median(characters[:, 3] - characters[:, 1]))


def _changes(large: Boxes, small: Boxes) -> bool:
    """Tell whether characters on one side of a place, (N, 4) px, are larger than those on the other, (M, 4) px."""
    tall, low = large[:, 3] - large[:, 1], small[:, 3] - small[:, 1]
    most = int(tall.max())
    gap = max(large[:, 0].min() - small[:, 2].max(), small[:, 0].min() - large[:, 2].max())
    return bool(
        tall.min() >= LARGER * low.max()
        and low.min() >= LEAST_PIXELS
        and low.max() >= LEAST * most
        and abs(float(np.median(large[:, 3])) - float(small[:, 3].min())) <= FOOT * most
        and gap >= GAP * most
    )


def _line_of(line: TextLine, characters: Boxes) -> TextLine:
    low, high = characters[:, :2].min(0), characters[:, 2:].max(0)
    tall = float(high[1] - low[1])
    free = max(SLACK[0] * tall, SLACK[1])
    return replace(TextLine.boxed(np.concatenate([low - free, high + free]), in_doubt=line.in_doubt), height=tall)
