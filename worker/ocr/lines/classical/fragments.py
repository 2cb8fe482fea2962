"""Link pieces of ink into fragments of lines, and fragments into lines.

A fragment is an (N, 4) int32 array of pieces: left, top, right, bottom in px.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes, Pieces
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.classical import linking

SEED_HEIGHT = 5  # px; anything lower joins a line but does not begin one
ALIKE = 0.42  # least ratio of the heights of linked pieces
PIECE_GAP = 0.9  # of the taller piece
SURE_GAP = 0.75  # of the character pitch: no column gap is as narrow
SURE_GAP_AFTER_MARK = 1.0  # the same behind a comma or full stop: the Chinese ones leave most of their square empty
WORD_GAP = 1.55  # of the character pitch: no word gap is wider
IN_ROW = 0.5  # least share of the height in common


def may_begin_a_line(pieces: Pieces) -> NDArray[np.bool_]:
    """Return which pieces, (N,), are like characters or parts of them; the others may only join a line."""
    tall = pieces.heights >= SEED_HEIGHT
    not_a_dash = pieces.widths <= 12 * pieces.heights
    filled = pieces.areas >= 0.06 * pieces.heights * pieces.widths
    return tall & not_a_dash & filled


def link_pieces(seeds: Pieces, shape: tuple[int, int], blockers: Boxes) -> NDArray[np.intp]:
    """Return the group number, (N,), of each piece: pieces in a row, close together and alike in height share one."""
    pairs = linking.find_neighbours(seeds.boxes, shape, blockers)
    a, b = seeds.heights[pairs.left], seeds.heights[pairs.right]
    tall, low = np.maximum(a, b), np.minimum(a, b)
    keep = (low >= ALIKE * tall) & (pairs.overlap >= IN_ROW) & (pairs.gap <= PIECE_GAP * tall)
    return linking.join(len(seeds), pairs.left[keep], pairs.right[keep])


def height_of(fragment: Boxes) -> float:
    """Return the height of a fragment's taller characters, px: the upper quartile of its pieces."""
    heights = np.sort(fragment[:, 3] - fragment[:, 1])
    return float(heights[(3 * len(heights)) // 4])


def hull_of(fragment: Boxes) -> NDArray[np.int32]:
    """Return the box around a fragment, (4,)."""
    return np.concatenate([fragment[:, :2].min(0), fragment[:, 2:].max(0)])


def hulls_of(fragments: list[Boxes]) -> NDArray[np.int32]:
    """Return the boxes around fragments, (F, 4)."""
    return np.array([hull_of(f) for f in fragments], np.int32).reshape(-1, 4)


def split_rows(fragments: list[Boxes]) -> list[Boxes]:
    """Part fragments of two and more rows, which a tall piece or touching letters have linked."""
    return [row for fragment in fragments for row in _rows_of(fragment)]


def _rows_of(fragment: Boxes) -> list[Boxes]:
    heights = fragment[:, 3] - fragment[:, 1]
    usual = float(np.sort(heights)[len(heights) // 2])
    hull = hull_of(fragment)
    if len(fragment) < 4 or hull[3] - hull[1] < 1.7 * usual:
        return [fragment]
    middles = (fragment[:, 1] + fragment[:, 3]) / 2 - slope_of(fragment) * (fragment[:, 0] + fragment[:, 2]) / 2
    order = np.argsort(middles, kind="stable")
    steps = np.diff(middles[order])
    breaks = np.flatnonzero(steps > 0.45 * usual) + 1
    if len(breaks) == 0 and hull[3] - hull[1] > 2.2 * usual:
        return _relink(fragment)
    return [fragment[part] for part in np.split(order, breaks)]


def _relink(fragment: Boxes) -> list[Boxes]:
    """Link anew, more strictly: something tall and dense (a picture, a bar code) has linked several rows."""
    origin = fragment[:, :2].min(0)
    boxes = fragment - np.tile(origin, 2)
    pairs = linking.find_neighbours(boxes, (int(boxes[:, 3].max()), int(boxes[:, 2].max())))
    heights = boxes[:, 3] - boxes[:, 1]
    a, b = heights[pairs.left], heights[pairs.right]
    tall, low = np.maximum(a, b), np.minimum(a, b)
    keep = (low >= 0.6 * tall) & (pairs.overlap >= 0.75) & (pairs.gap <= 0.6 * tall)
    return linking.split(fragment, linking.join(len(boxes), pairs.left[keep], pairs.right[keep]))


def slope_of(fragment: Boxes) -> float:
    """Return how many px a row of pieces falls per px to the right, 0 where it is too short to tell."""
    left, right = fragment[:, 0].min(), fragment[:, 2].max()
    usual = float(np.median(fragment[:, 3] - fragment[:, 1]))
    if len(fragment) < 6 or right - left < 6 * usual:
        return 0.0
    x, y = (fragment[:, 0] + fragment[:, 2]) / 2, fragment[:, 3].astype(np.float64)
    slope, offset = np.polyfit(x, y, 1)
    near = np.abs(y - slope * x - offset) <= 0.25 * usual
    if near.sum() >= 4:
        slope, offset = np.polyfit(x[near], y[near], 1)
    return float(slope) if abs(slope) < 0.15 else 0.0


def link_fragments(fragments: list[Boxes], mask: Gray, blockers: Boxes) -> list[Boxes]:
    """Join fragments across word gaps, but not across a white river, which parts columns."""
    hulls = hulls_of(fragments)
    heights = np.array([height_of(f) for f in fragments])
    pitches = np.array([_pitch(f) for f in fragments])
    pairs = linking.find_neighbours(hulls, (mask.shape[0], mask.shape[1]), blockers)
    a, b = heights[pairs.left], heights[pairs.right]
    tall, low = np.maximum(a, b), np.minimum(a, b)
    gap = pairs.gap / np.maximum(pitches[pairs.left], pitches[pairs.right])
    keep = (low >= ALIKE * tall) & (pairs.overlap >= IN_ROW) & (gap <= WORD_GAP)
    ends_in_mark = np.array([_ends_in_mark(f) for f in fragments])
    sure = np.where(ends_in_mark[pairs.left], SURE_GAP_AFTER_MARK, SURE_GAP)
    keep &= (gap <= sure) | ~_rivers(mask, hulls[pairs.left], hulls[pairs.right])
    groups = linking.join(len(fragments), pairs.left[keep], pairs.right[keep])
    return [np.concatenate([fragments[i] for i in part]) for part in linking.members(groups)]


def _ends_in_mark(fragment: Boxes) -> bool:
    """Return whether the last piece is low, as commas and full stops are."""
    last = fragment[fragment[:, 2].argmax()]
    return bool(last[3] - last[1] < 0.5 * height_of(fragment))


def _pitch(fragment: Boxes) -> float:
    """Return the usual distance between characters, px; never less than the height."""
    height = height_of(fragment)
    tall = fragment[fragment[:, 3] - fragment[:, 1] >= 0.5 * height]
    if len(tall) < 3:
        return height
    steps = np.diff(np.sort(tall[:, 0]))
    return min(max(float(np.sort(steps)[len(steps) // 2]), height), 1.6 * height)


def _rivers(mask: Gray, left: Boxes, right: Boxes) -> NDArray[np.bool_]:
    """Return for each pair, (P,), whether the gap goes on through the writing above and below: columns, not words."""
    total = cv2.integral(mask)
    height, width = mask.shape
    top, bottom = np.minimum(left[:, 1], right[:, 1]), np.maximum(left[:, 3], right[:, 3])
    reach = 2 * (bottom - top)
    x0, x1 = left[:, 2], right[:, 0]

    def empty(
        xa: NDArray[np.int32], xb: NDArray[np.int32], ya: NDArray[np.int32], yb: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        xa, xb = np.clip(xa, 0, width), np.clip(xb, 0, width)
        ya, yb = np.clip(ya, 0, height), np.clip(yb, 0, height)
        return np.asarray(total[yb, xb] - total[ya, xb] - total[yb, xa] + total[ya, xa] == 0)

    side = reach
    blocked, seen = np.zeros(len(left), bool), np.zeros(len(left), bool)
    for ya, yb in ((top - reach, top), (bottom, bottom + reach)):
        flanked = ~empty(x0 - side, x0, ya, yb) & ~empty(x1, x1 + side, ya, yb)
        free = empty(x0 + (x1 - x0) // 8, x1 - (x1 - x0) // 8, ya, yb)
        seen |= flanked & free
        blocked |= ~free
    return seen & ~blocked


def overlaps(hull: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the area that a box, (4,), has in common with each of the others, (N, 4): (N,) px."""
    width = np.minimum(hull[2], others[:, 2]) - np.maximum(hull[0], others[:, 0])
    height = np.minimum(hull[3], others[:, 3]) - np.maximum(hull[1], others[:, 1])
    return np.asarray(np.clip(width, 0, None) * np.clip(height, 0, None))
