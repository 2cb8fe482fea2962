"""Connected components of the ink: pieces that may be characters, without rules, frames and pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray

Boxes = NDArray[np.int32]  # (N, 4): left, top, right, bottom; right and bottom are exclusive

RULE_ASPECT = 12  # a straight stroke this many times longer than thick is a rule ...
RULE_THICKNESS = 8  # px; ... if it is also straight: its box is no wider than this, or than a quarter of the length
SOLID = (24, 10)  # px, width and height; what holds a bar of this size may be a bar with writing on it
NO_BOXES = np.zeros((0, 4), np.int32)
MOST_PIECES = 20_000  # more than this is noise, not writing; the tallest are kept


@dataclass(frozen=True)
class Pieces:
    """Pieces of ink. boxes: (N, 4) int32 px; areas: (N,) int32 ink px in each."""

    boxes: Boxes
    areas: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.boxes)

    def select(self, keep: NDArray[np.bool_] | NDArray[np.intp]) -> Pieces:
        """Return the pieces at these places."""
        return Pieces(self.boxes[keep], self.areas[keep])

    @property
    def heights(self) -> NDArray[np.int32]:
        """(N,) int32 px."""
        return self.boxes[:, 3] - self.boxes[:, 1]

    @property
    def widths(self) -> NDArray[np.int32]:
        """(N,) int32 px."""
        return self.boxes[:, 2] - self.boxes[:, 0]


def remove_rules(mask: Gray, length: int) -> tuple[Gray, Boxes]:
    """Return the mask without thin straight strokes of `length` px and more, and the boxes of the upright ones.

    Upright rules part the cells of a table.
    """
    lying, _ = _rules(mask, (length, 1))
    standing, boxes = _rules(mask, (1, length))
    rules = cv2.dilate(cv2.bitwise_or(lying, standing), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.bitwise_and(mask, cv2.bitwise_not(rules)), np.uint8), boxes


def usual_height(pieces: Pieces, *, power: int = 1) -> float:
    """Return the height in px of the pieces that make up most of the page, 0 without pieces; specks hardly count.

    A piece counts by its height, to this power: the higher it is, the more specks there may be.
    """
    tall, wide = pieces.heights, pieces.widths
    likely = (tall >= 4) & (wide <= 6 * tall) & (tall <= 6 * wide)
    if not likely.any():
        return 0.0
    heights = np.sort(tall[likely])
    weight = np.cumsum(np.minimum(heights, 40) ** power)
    return float(heights[np.searchsorted(weight, weight[-1] / 2)])


def _rules(mask: Gray, size: tuple[int, int]) -> tuple[Gray, Boxes]:
    """Return a mask of the long thin strokes that hold a bar of `size` (width, height), and their boxes."""
    strokes = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(size[::-1], np.uint8)), np.uint8)
    contours, _ = cv2.findContours(strokes, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    rules, boxes = np.zeros_like(mask), []
    for contour in contours:
        left, top, width, height = cv2.boundingRect(contour)
        long, short = max(width, height), min(width, height)
        thickness = cv2.contourArea(contour) / long + 1
        if thickness <= long / RULE_ASPECT and short <= max(RULE_THICKNESS, long / 4):
            cv2.drawContours(rules, [contour], -1, 255, cv2.FILLED)
            boxes.append((left, top, left + width, top + height))
    return rules, np.array(boxes, np.int32).reshape(-1, 4)


def find_pieces(mask: Gray, *, with_specks: bool = False) -> Pieces:
    """Return every connected component of an ink mask, (H, W) uint8 with 255 = ink; of 2 px and less only if asked for.

    They are measured by runs of ink in rows: OpenCV's own statistics visit every px of paper, and take longer.
    """
    bordered = np.asarray(cv2.copyMakeBorder(mask, 0, 0, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
    flat = bordered.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    rows, starts = np.divmod(edges[::2], bordered.shape[1])
    lengths = edges[1::2] - edges[::2]
    count, labels = cv2.connectedComponents(bordered, connectivity=8) if len(edges) else (1, bordered)
    of = np.asarray(labels, np.int32)[rows, starts].astype(np.intp) - 1
    left, right = np.full(count - 1, bordered.shape[1]), np.zeros(count - 1, np.int64)
    np.minimum.at(left, of, starts - 1)
    np.maximum.at(right, of, starts - 1 + lengths)
    top, bottom = np.empty_like(right), np.empty_like(right)
    top[of[::-1]], bottom[of] = rows[::-1], rows + 1  # rows come from the top: the last assignment stays
    boxes = np.stack([left, top, right, bottom], 1).astype(np.int32)
    areas = np.bincount(of, lengths, count - 1).astype(np.int32)
    found = Pieces(boxes, areas) if with_specks else Pieces(boxes, areas).select(areas > 2)
    if len(found) > MOST_PIECES:
        found = found.select(np.argsort(-found.heights, kind="stable")[:MOST_PIECES])
    return found


def holes_of_solids(mask: Gray) -> Gray:
    """Return the holes of the solid pieces of a mask, (H, W) uint8: white writing on a black bar, or the reverse."""
    holes = np.zeros_like(mask)
    if not cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones(SOLID[::-1], np.uint8)).any():
        return holes
    pieces = find_pieces(mask)
    large = (pieces.widths >= 40) & (pieces.heights >= 14)
    solid = large & (pieces.areas >= 0.5 * pieces.heights * pieces.widths)
    for left, top, right, bottom in pieces.boxes[solid]:
        bar = mask[top:bottom, left:right]
        contours, _ = cv2.findContours(bar, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        filled = cv2.drawContours(np.zeros_like(bar), contours, -1, 255, cv2.FILLED)
        holes[top:bottom, left:right] |= np.asarray(cv2.bitwise_and(filled, cv2.bitwise_not(bar)), np.uint8)
    return holes
