"""Pages that lie on their side or upside down. Reading decides: no other direction reads as well as the right one.

A page that reads well as it came is not looked at again. One that does not is tried in the other directions, on its
longest lines; another direction is taken only where it reads clearly better.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray
from worker.ocr.page.preprocess import FindLines, Upright, straighten

SURE = 0.90  # of the characters, mean; nothing that lies wrong reads as well
CHARACTERS_OF_LINE = 4.0  # a page on its side falls into stubs of lines with fewer characters than this
HOPELESS = 0.5  # of the characters, mean; pages that read worse may lie on their side although their lines are long
SAMPLE = 12  # longest lines
PROBE = 4  # of them; where these read worse upside down the others need not be tried
LEAST_CONFIDENCE = 0.65  # of the sample, in its new direction
LEAST_GAIN = 0.08  # of the sample's confidence
LEAST_CHARACTERS = 8
FEW_CHARACTERS, WIDE_GAIN = 3, 0.3  # so few do where the ink slants, if they are sure and it gains so much
QUARTERS = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}

Read = Callable[[Sequence[Gray]], Sequence[Sequence[float]]]  # line images to the confidences of their characters
Search = Callable[[int], Sequence[Gray]]  # quarter turns clockwise to the line images of the page that is turned so


@dataclass(frozen=True)
class Legibility:
    """How well lines read. confidence: mean over their characters, 0..1, 0 without any; characters, lines: how many."""

    confidence: float
    characters: int
    lines: int

    @classmethod
    def of(cls, lines: Sequence[Sequence[float]]) -> Legibility:
        """Sum up lines of characters' confidences."""
        values = [value for line in lines for value in line]
        return cls(sum(values) / max(1, len(values)), len(values), len(lines))

    @property
    def is_in_stubs(self) -> bool:
        """Whether the lines are shorter than those of writing that lies right."""
        return self.characters < CHARACTERS_OF_LINE * self.lines


def find_turn(images: Sequence[Gray], confidences: Sequence[Sequence[float]], read: Read, search: Search) -> int:
    """Return by how many quarter turns clockwise a page must be turned to be upright; 0 also where that is not clear.

    Args:
        images: The lines found on the page as it is, (h, w) uint8 each.
        confidences: Of the characters that were read in each, 0..1.
        read: Reads lines.
        search: Finds the lines of the page when it is turned. As dear as the first search, so it is left to pages in
            doubt that fell into stubs, or read like nothing at all.
    """
    whole = Legibility.of(confidences)
    if not images or whole.confidence >= SURE:
        return 0
    chosen = longest(images)
    now = Legibility.of([confidences[i] for i in chosen])
    probe, rest = chosen[:PROBE], chosen[PROBE:]
    upside_down = read(_upside_down([images[i] for i in probe]))
    if rest and Legibility.of(upside_down).confidence > Legibility.of([confidences[i] for i in probe]).confidence:
        upside_down = [*upside_down, *read(_upside_down([images[i] for i in rest]))]
    tried = {2: Legibility.of(upside_down)}
    if (whole.is_in_stubs or whole.confidence < HOPELESS) and tried[2].confidence < SURE:
        side = search(1)
        side = [side[i] for i in longest(side)]
        tried |= {1: Legibility.of(read(side)), 3: Legibility.of(read(_upside_down(side)))}
    best = max(tried, key=lambda turn: tried[turn].confidence)
    if best != 2 and tried[best].is_in_stubs and tried[best].confidence < SURE:
        return 0  # cells of a table: an 8 on its side reads as oo
    return best if is_clear(tried[best], now) else 0


def is_clear(best: Legibility, now: Legibility, *, few_do: bool = False) -> bool:
    """Tell whether a page reads clearly better otherwise than now; `few_do`: a few characters, too, may tell it."""
    least = max(LEAST_CONFIDENCE, now.confidence + LEAST_GAIN)
    if few_do and best.characters < LEAST_CHARACTERS:
        return best.confidence >= max(SURE, now.confidence + WIDE_GAIN) and best.characters >= FEW_CHARACTERS
    return best.confidence >= least and best.characters >= LEAST_CHARACTERS


def longest(images: Sequence[Gray]) -> list[int]:
    """Return which lines are the longest, by the characters that fit in."""
    return sorted(range(len(images)), key=lambda i: -images[i].shape[1] / images[i].shape[0])[:SAMPLE]


def _upside_down(images: Sequence[Gray]) -> list[Gray]:
    return [np.asarray(cv2.rotate(image, cv2.ROTATE_180), np.uint8) for image in images]


def turn_upright(gray: Gray, quarters: int, find: FindLines | None = None) -> Upright:
    """Return a page, (H, W) uint8, after 1 to 3 quarter turns clockwise, and straightened, as `straighten` does."""
    upright = straighten(np.asarray(cv2.rotate(gray, QUARTERS[quarters]), np.uint8), find)
    angle = 180.0 - (180.0 - 90.0 * quarters - upright.angle) % 360.0  # above -180, up to 180
    back = _way_back(gray.shape, quarters)
    to_page = np.column_stack([back[:, :2] @ upright.to_page[:, :2], back[:, :2] @ upright.to_page[:, 2] + back[:, 2]])
    return replace(upright, angle=angle, to_page=to_page)


def _way_back(shape: tuple[int, ...], quarters: int) -> NDArray[np.float64]:
    """Return the matrix, (2, 3), from pixels after quarter turns clockwise to those of the page of `shape` (H, W)."""
    height, width = shape
    return {
        1: np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, height]]),
        2: np.array([[-1.0, 0.0, width], [0.0, -1.0, height]]),
        3: np.array([[0.0, -1.0, width], [1.0, 0.0, 0.0]]),
    }[quarters]
