"""Find the text lines of a page with a learned detector: from maps of the lines' middles and edges to boxes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.finite import require_finite
from worker.ocr.ink.copies import Copies
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.learned import closer, scales, second_look, shrunk, snapping
from worker.ocr.lines.learned.joining import join_words
from worker.ocr.lines.text_line import TextLine

STRIDE = 4  # px of the searched page for a cell of the maps
LIKELY = 0.45  # a cell with a higher probability lies in the middle of a line
LEAST_MEAN = 0.62  # of the probabilities in a line
LEAST_HEIGHT = 5.0  # px of the searched page
LEAST_ASPECT = 0.1  # width to height of a line's middle
SHRINK = 0.25  # of a line's height: what the maps leave out at both ends
SURE_SLOPE = 5.0  # a line so many heights long says how much it is tilted; a shorter one asks the others, too
STEEPEST = 0.6  # px down per px to the right

Values = NDArray[np.floating[Any]]


class PageDetector(Protocol):
    """What is needed of a detector; those of `models.detector` and `models.db_detector` are some."""

    def maps(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8 -> float32 maps of either kind.

        (3, ceil(H / 4), ceil(W / 4)): probability, log2 px up and down to the edges. (1, H, W): probability alone, of
        lines that are shrunk.
        """


def find_lines(page: Copies, detector: PageDetector) -> list[TextLine]:
    """Return the text lines of a page in no order. A page without text gives none.

    Raises:
        ArithmeticError: the detector gives something else than numbers.
    """

    def search(work: Gray) -> list[scales.Box]:
        maps = detector.maps(work)
        require_finite(maps[0].max(), "a page of this document")
        return shrunk.boxes_of(maps[0]) if len(maps) == 1 else boxes_of(maps)

    searched = scales.find_boxes(page, search)
    boxes, unsure = closer.look_closer(searched.boxes, page, searched.scale, search)
    found = [snapping.snap(page.gray, box) for box in join_words(boxes)]
    found += [replace(snapping.snap(page.gray, box), in_doubt=True) for box in join_words(unsure)]
    return second_look.look_again(found, page, searched.scale)


@dataclass(frozen=True)
class _Regions:
    """Connected regions of likely cells, and the mean over each region's cells, weighted by their probability."""

    of: NDArray[Any]  # (cells,) the region of each cell
    count: int
    weight: Values  # (cells,) 0..1

    def sums(self, values: Values) -> Values:
        """(cells,) -> (count,)."""
        return np.asarray(np.bincount(self.of, self.weight * values, self.count), np.float64)

    def means(self, values: Values) -> Values:
        """(cells,) -> (count,)."""
        return self.sums(values) / self.sums(np.ones_like(values))

    def reach(self, values: Values, further: np.ufunc, start: float) -> Values:
        """The least or largest value in each region: (cells,) -> (count,)."""
        result = np.full(self.count, start)
        further.at(result, self.of, values)
        return result


def boxes_of(maps: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the lines in the maps of a page, (3, H / 4, W / 4), as boxes, (4, 2) px of that page, in no order.

    A connected region of likely cells is a line. Its tilt is that of a straight line through the middles between the
    edges that its cells see, its height their mean distance.
    """
    likely = (maps[0] > LIKELY).astype(np.uint8)
    count, labels = cv2.connectedComponents(likely, connectivity=8)
    if count < 2:
        return []
    rows, columns = np.nonzero(likely)
    probability = maps[0, rows, columns].astype(np.float64)
    regions = _Regions(np.asarray(labels)[rows, columns] - 1, count - 1, probability)
    x, y = (columns + 0.5) * STRIDE, (rows + 0.5) * STRIDE
    above, below = np.exp2(maps[1:, rows, columns].astype(np.float64))
    y = y + (below - above) / 2
    tall = regions.means(above + below)
    left = regions.reach(x - STRIDE / 2, np.minimum, np.inf)
    right = regions.reach(x + STRIDE / 2, np.maximum, -np.inf)
    middle = np.stack([regions.means(x), regions.means(y)], 1)
    slopes = _slopes(regions, x - middle[regions.of, 0], y - middle[regions.of, 1], tall, right - left)
    keep = (regions.means(probability) >= LEAST_MEAN) & (tall >= LEAST_HEIGHT) & (right - left >= LEAST_ASPECT * tall)
    return [_box(middle[i], (left[i], right[i]), slopes[i], tall[i]) for i in np.flatnonzero(keep).tolist()]


def _slopes(regions: _Regions, x: Values, y: Values, tall: Values, wide: Values) -> Values:
    """Return how many px each line falls per px to the right; x, y are px from its middle, by cell."""
    spread = regions.sums(x * x)
    own = regions.sums(x * y) / np.maximum(spread, 1e-6)
    is_long = wide >= SURE_SLOPE * tall
    usual = float(np.median(own[is_long])) if is_long.any() else 0.0
    trust = np.minimum(1.0, (wide / (SURE_SLOPE * tall)) ** 2)
    return np.asarray(np.clip(trust * own + (1 - trust) * usual, -STEEPEST, STEEPEST), np.float64)


def _box(middle: Values, ends: tuple[float, float], slope: float, tall: float) -> NDArray[np.float32]:
    along = np.array([1.0, slope]) / np.hypot(1.0, slope)
    down = np.array([-along[1], along[0]])
    height = tall * along[0]  # it was measured straight down
    start, end = (middle + (x - middle[0]) * np.array([1.0, slope]) for x in ends)
    start, end, half = start - SHRINK * height * along, end + SHRINK * height * along, down * height / 2
    return np.array([start - half, end - half, end + half, start + half], np.float32)
