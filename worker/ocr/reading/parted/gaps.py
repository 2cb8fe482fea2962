"""Where the words of a line are apart: the white of its image between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.line_image import MARGIN
from shared.result import Character, Line
from worker.ocr.ink.ink import Gray

INK = 0.45  # of how far the line's ink lies from its ground: what differs so much from the ground is ink
DARKEST = 90  # per cent of a line's columns differ less from the ground than its ink does


@dataclass(frozen=True)
class Gap:
    """The white at a space of a line.

    space: its place among the characters. begin, end: as shares of the line's width.
    heights: its width, in heights of the line. usual: that of the gaps between words, 0 where nothing tells.
    """

    space: int
    begin: float
    end: float
    heights: float
    usual: float = 0.0

    def is_wide(self, wider: float, least: float) -> bool:
        """Whether it is so many times as wide as usual, and so many heights."""
        return self.heights >= max(wider * self.usual, least)


def gaps_of(line: Line, image: Gray) -> list[Gap]:
    """Return the widest white at each space of a line.

    Args:
        line: Across.
        image: (h, w) uint8, of the line with the usual margin.

    Returns:
        A space at which no white is has no gap.
    """
    ink, (width, height) = _is_ink(image), size_of(line)
    places = [i for i, one in enumerate(line.characters) if one.text == " " and 0 < i < len(line.characters) - 1]
    gaps = []
    for place in places:
        first, last = (round(_middle(line.characters[place + step]) * width + MARGIN * height) for step in (-1, 1))
        begin, end = (first + edge - MARGIN * height for edge in _widest_white(ink[first:last]))
        if begin < end:
            gaps.append(Gap(place, max(begin / width, 0.0), min(end / width, 1.0), (end - begin) / height))
    return gaps


def size_of(line: Line) -> tuple[float, float]:
    """Return the width and the height of a line, px, never 0."""
    a, b, _, d = line.polygon
    return max(math.dist(a, b), 1.0), max(math.dist(a, d), 1.0)


def _middle(character: Character) -> float:
    return (character.start + character.end) / 2


def _is_ink(image: Gray) -> NDArray[np.bool_]:
    """Return which columns of a line's image, (w,), show ink, darker or lighter than its ground."""
    ground = float(np.median(image[:: max(1, len(image) // 8)]))
    depth = np.maximum(image.max(0) - ground, ground - image.min(0))
    return np.asarray(depth > INK * np.percentile(depth, DARKEST), np.bool_)


def _widest_white(ink: NDArray[np.bool_]) -> tuple[int, int]:
    """Return where the longest run without ink begins and ends, columns."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], ink, [True]]).astype(np.int8)))
    begins, ends = edges[::2], edges[1::2]
    if not len(begins):
        return 0, 0
    widest = int(np.argmax(ends - begins))
    return int(begins[widest]), int(ends[widest])
