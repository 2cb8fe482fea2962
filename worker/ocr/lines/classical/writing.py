"""Tell writing from texture: lines of characters are clean between their strokes, and alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.classical.fragments import height_of, hull_of, slope_of

# Limits hold for 99 of 100 labelled lines of receipts, papers, forms and books; half of all texture fails each one.
LEAST_CONTRAST = 12.0  # grey levels between ink and paper
MOST_FILL = 0.78  # share of ink in the line's box
MOST_UNEVENNESS = 0.40  # mean deviation of the paper between the strokes, relative to the contrast
MOST_ROWS = 3.5  # height of the line, levelled, relative to its characters
MOST_VARIETY = 1.3  # deviation of the pieces' heights, relative to their mean
LEAST_HEIGHT = 0.35  # of the page's usual character height
LEAST_RELATIVE_CONTRAST = 0.2  # of the page's usual contrast
LONE_HEIGHT = (0.6, 3.0)  # the same for one or two pieces alone, which texture often has
LONE_CONTRAST = 0.55
LONE_ASPECT = 0.2  # least width relative to the height
ROW_HEIGHT = (0.5, 1.5)  # the same for one that stands in a row with a line: a digit in a table
ROW_CONTRAST = 0.4
ROW_ASPECT = 0.1
ROW_REACH = 25.0  # heights between the two


@dataclass(frozen=True)
class Fragment:
    """Pieces of one line, before it is known to be one.

    pieces: (N, 4) px. height, width: px. contrast, fill, unevenness, rows, variety: see the limits above.
    """

    pieces: Boxes
    height: float
    width: float
    contrast: float
    fill: float
    unevenness: float
    rows: float
    variety: float

    @property
    def is_lone(self) -> bool:
        """Too little to be judged by itself."""
        return len(self.pieces) <= 2 or self.width < 1.2 * self.height


def measure(pieces: Boxes, mask: Gray, gray: Gray, depth: Gray) -> Fragment:
    """Measure a fragment on the page, on the ink mask that it was found in, and on the depth of the ink, (H, W) uint8.

    Paper may be uneven by its grey (a gradient) or by its depth (a bar, which is deep itself), but not by both.
    """
    left, top, right, bottom = hull_of(pieces)
    ink = mask[top:bottom, left:right] > 0
    values = gray[top:bottom, left:right]
    strokes, paper = values[ink], values[~ink]
    level = float(np.partition(paper, paper.size // 2)[paper.size // 2]) if paper.size else 0.0
    contrast = abs(float(strokes.mean()) - level) if strokes.size and paper.size else 0.0
    unevenness = float(np.abs(paper - np.float32(level)).mean()) / max(contrast, 1.0) if paper.size else 1.0
    deep = depth[top:bottom, left:right]
    if paper.size and strokes.size:
        unevenness = min(unevenness, float(deep[~ink].mean()) / max(float(deep[ink].mean()), 1.0))
    heights = pieces[:, 3] - pieces[:, 1]
    height = height_of(pieces)
    return Fragment(
        pieces=pieces,
        height=height,
        width=float(right - left),
        contrast=contrast,
        fill=float(ink.mean()),
        unevenness=unevenness,
        rows=_level_height(pieces) / height,
        variety=float(heights.std() / heights.mean()),
    )


def _level_height(pieces: Boxes) -> float:
    """Return the height of the pieces' hull after its tilt is taken out, px."""
    rise = slope_of(pieces) * (pieces[:, 0] + pieces[:, 2]) / 2
    return float((pieces[:, 3] - rise).max() - (pieces[:, 1] - rise).min())


def is_writing(fragment: Fragment) -> bool:
    """Judge a fragment by itself."""
    return (
        fragment.contrast >= LEAST_CONTRAST
        and fragment.fill <= MOST_FILL
        and fragment.unevenness <= MOST_UNEVENNESS
        and fragment.rows <= MOST_ROWS
        and fragment.variety <= MOST_VARIETY
    )


def select_writing(fragments: Sequence[Fragment]) -> list[Fragment]:
    """Return the fragments that are writing, judged by themselves and beside what the page usually holds."""
    alone = [fragment for fragment in fragments if is_writing(fragment)]
    if not alone:
        return []
    weights = np.array([f.width * (0.01 if f.is_lone else 1.0) for f in alone])
    height = _weighted_median(np.array([f.height for f in alone]), weights)
    contrast = _weighted_median(np.array([f.contrast for f in alone]), weights)
    fit = [f for f in alone if _fits(f, height, contrast)]
    lines = [f for f in fit if not f.is_lone]
    hulls = np.array([hull_of(f.pieces) for f in lines], np.float64).reshape(-1, 4)
    heights, contrasts = np.array([f.height for f in lines]), np.array([f.contrast for f in lines])
    chosen = {id(f) for f in fit}
    return [f for f in alone if id(f) in chosen or (f.is_lone and _stands_in_a_row(f, hulls, heights, contrasts))]


def _fits(fragment: Fragment, height: float, contrast: float) -> bool:
    tall, strong = fragment.height / height, fragment.contrast / contrast
    if not fragment.is_lone:
        return tall >= LEAST_HEIGHT and strong >= LEAST_RELATIVE_CONTRAST
    return (
        LONE_HEIGHT[0] <= tall <= LONE_HEIGHT[1]
        and strong >= LONE_CONTRAST
        and fragment.width >= LONE_ASPECT * fragment.height
    )


def _stands_in_a_row(
    fragment: Fragment, hulls: NDArray[np.float64], heights: NDArray[np.float64], contrasts: NDArray[np.float64]
) -> bool:
    """Tell whether a lone fragment stands beside a line that is like it."""
    left, top, right, bottom = hull_of(fragment.pieces)
    middle = (top + bottom) / 2
    beside = (hulls[:, 1] <= middle) & (middle <= hulls[:, 3])
    beside &= np.maximum(hulls[:, 0] - right, left - hulls[:, 2]) <= ROW_REACH * heights
    tall, strong = fragment.height / heights, fragment.contrast / contrasts
    alike = (ROW_HEIGHT[0] <= tall) & (tall <= ROW_HEIGHT[1]) & (strong >= ROW_CONTRAST)
    return bool((beside & alike).any()) and fragment.width >= ROW_ASPECT * fragment.height


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, total[-1] / 2)])
