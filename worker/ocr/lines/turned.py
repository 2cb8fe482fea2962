"""Single lines that lie otherwise than their page: upside down, or along its side, up or down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray
from worker.ocr.lines.text_line import TextLine

FEWEST = 4  # characters; fewer say nothing of how they lie
DOUBTFUL = 0.7  # of a line's characters, mean; one that reads better lies right
LEGIBLE = 0.93  # mean of a page: on one that reads so well ...
CONSPICUOUS = 0.94  # ... a line that reads worse than this may stand upside down
GLANCE = 6.0  # of its height: so much of a line's middle tells whether it is worth reading ...
PROMISING = 0.8  # ... of the characters there, mean; of all lines that read surely the middle reads at least so well
SURE = 0.9  # of its characters, mean, the other way round ...
SURER = 0.97  # ... and at least this where it is legible as it is
TALL = 3.0  # of its width: a place that is taller may be a line on its side
LONE = 2  # characters: so few in the way of a line on its side were read out of its middle
NEAR = 1.25  # of its width: what goes on no further away belongs to it
EITHER_WAY = frozenset("0123456789 EHILMNOSWXZbdhlmnopqsuwxyz.,:-+=()[]/%")  # are characters upside down, too


class Way(NamedTuple):
    """How well a line reads. confidence: mean over its characters, 0..1; characters: how many."""

    confidence: float
    characters: int

    @property
    def is_sure(self) -> bool:
        """Whether it lies right."""
        return self.characters >= FEWEST and self.confidence >= SURE


UNREAD = Way(0.0, 0)


def doubtful(ways: Sequence[Way]) -> list[int]:
    """Return which lines of a page may stand upside down: many letters are letters then, too, and read rather well."""
    count = sum(way.characters for way in ways)
    mean = sum(way.confidence * way.characters for way in ways) / max(1, count)
    least = CONSPICUOUS if mean >= LEGIBLE else DOUBTFUL
    return [i for i, way in enumerate(ways) if way.characters >= FEWEST and way.confidence < least]


def middle_of(image: Gray) -> Gray:
    """Return the middle of a line image, (h, w) uint8, which is cheaper to read than the whole."""
    height, width = image.shape
    wide = min(width, round(GLANCE * height))
    start = (width - wide) // 2
    return image[:, start : start + wide]


def is_right(other: Way, as_it_was: Way) -> bool:
    """Tell whether a line lies right when it is read from its other end."""
    return other.is_sure and (as_it_was.confidence < DOUBTFUL or other.confidence >= SURER)


def tells_its_way(text: str) -> bool:
    """Tell whether a text can be read one way only: 6689 reads as surely as 6899."""
    return not EITHER_WAY.issuperset(text)


def upside_down(line: TextLine) -> TextLine:
    """Return the same line, read from its other end."""
    return replace(line, polygon=np.roll(line.polygon, 2, axis=0))


def on_side(places: Sequence[NDArray[Any]], lines: Sequence[TextLine], ways: Sequence[Way]) -> list[TextLine]:
    """Return what may be lines on their side, upright boxes for now.

    Args:
        places: What was not read, (4, 2) px each.
        lines: Of the page.
        ways: How each of them reads. Single characters were read out of the middle of lines that lie.
    """
    boxes = [np.concatenate([place.min(axis=0), place.max(axis=0)]).astype(np.float64) for place in places]
    tall = [box for box in boxes if box[3] - box[1] >= TALL * (box[2] - box[0])]
    rest = [line.hull for line, way in zip(lines, ways, strict=True) if way.characters <= LONE]
    found: list[NDArray[np.float64]] = []
    while tall:
        box = tall.pop()
        parts = tall + rest
        near = [i for i, part in enumerate(parts) if _goes_on(box, part)]
        if not near:
            found.append(box)
            continue
        tall = [part for i, part in enumerate(tall) if i not in near]
        rest = [part for i, part in enumerate(rest) if i + len(parts) - len(rest) not in near]
        both = np.array([box, *(parts[i] for i in near)])
        tall.append(np.concatenate([both[:, :2].min(axis=0), both[:, 2:].max(axis=0)]))
    return [TextLine.boxed(box) for box in found]


def _goes_on(box: NDArray[np.float64], part: NDArray[np.float64]) -> bool:
    """Tell whether a part lies in a tall box, or just above or below it."""
    wide = box[2] - box[0]
    middle = (part[0] + part[2]) / 2
    gap = max(part[1] - box[3], box[1] - part[3])
    return bool(box[0] <= middle <= box[2] and gap <= NEAR * wide and part[2] - part[0] <= 2 * wide)


def without(lines: Sequence[TextLine], ways: Sequence[Way], side: Sequence[TextLine]) -> list[int]:
    """Return which lines stay beside those on their side: not what was read badly, or alone, in the middle of one."""

    def is_in_one(line: TextLine) -> bool:
        x, y = (line.hull[:2] + line.hull[2:]) / 2
        return any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in (t.hull for t in side))

    reads = [way.confidence >= DOUBTFUL and way.characters > LONE for way in ways]
    return [i for i, line in enumerate(lines) if reads[i] or not is_in_one(line)]


def both_ways(boxes: Sequence[TextLine]) -> list[TextLine]:
    """Return each box twice, two lines beside each other: read from its top, and from its bottom."""
    return [_from_corner(line, first) for line in boxes for first in (1, 3)]


def choose(ways: Sequence[Way]) -> list[int]:
    """Return which of the lines of `both_ways` read surely, at most one of each two: the surer way."""
    best = [max((i, i + 1), key=lambda at: ways[at].confidence) for i in range(0, len(ways), 2)]
    return [at for at in best if ways[at].is_sure]


def _from_corner(line: TextLine, first: int) -> TextLine:
    left, _, right, _ = line.hull
    return TextLine(np.roll(line.polygon, -first, axis=0), float(right - left))
