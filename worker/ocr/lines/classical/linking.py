"""Neighbours in a row: which boxes see each other horizontally, how far apart, and what they join into."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes


@dataclass(frozen=True)
class Neighbours:
    """Pairs of boxes with nothing between them. Every array is (P,).

    left, right: indices of the boxes.
    gap: px from the right edge of the left box to the left edge of the right one; negative where they overlap.
    overlap: share of the lower box's height that both have in common, 0..1.
    """

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    gap: NDArray[np.float64]
    overlap: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.left)


def find_neighbours(boxes: Boxes, shape: tuple[int, int], blockers: Boxes | None = None) -> Neighbours:
    """Return which boxes see each other along some pixel row of an image of `shape` (H, W).

    Boxes are painted, tall ones first, into a map of indices; neighbours are the indices on both sides of each white
    run of a row. `blockers` (upright rules) are painted over everything and nothing sees through them. Rows between
    which no box begins or ends are alike, and so are columns: the map has one of each.
    """
    painted = boxes if blockers is None else np.concatenate([boxes, blockers])
    painted = np.clip(painted, 0, [shape[1], shape[0]] * 2)
    (left, right), (top, bottom) = _ranks(painted[:, [0, 2]].T), _ranks(painted[:, [1, 3]].T)
    canvas = np.zeros((bottom.max(initial=0), right.max(initial=0)), np.int32)
    order = np.argsort(boxes[:, 1] - boxes[:, 3], kind="stable").tolist()
    rows, columns = (
        [*zip(top.tolist(), bottom.tolist(), strict=True)],
        [*zip(left.tolist(), right.tolist(), strict=True)],
    )
    for i in [*order, *range(len(boxes), len(painted))]:
        canvas[slice(*rows[i]), slice(*columns[i])] = i + 1 if i < len(boxes) else -1
    return _measure(boxes, _visible_pairs(canvas))


def _ranks(edges: NDArray[np.int32]) -> NDArray[np.intp]:
    """Return the rank of each edge among the distinct ones, in the same shape."""
    return np.unique(edges, return_inverse=True)[1].reshape(edges.shape)


def _visible_pairs(canvas: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the distinct (left, right) indices, (P, 2), that meet across white in some row of the map."""
    flat = canvas.ravel()
    at = np.flatnonzero(flat)
    values, rows = flat[at], at // max(1, canvas.shape[1])
    meets = (values[1:] != values[:-1]) & (rows[1:] == rows[:-1]) & (values[1:] > 0) & (values[:-1] > 0)
    codes = np.unique(values[:-1][meets].astype(np.int64) << 32 | values[1:][meets])
    return np.column_stack([codes >> 32, codes & 0xFFFFFFFF]) - 1


def _measure(boxes: Boxes, pairs: NDArray[np.int64]) -> Neighbours:
    a, b = pairs[:, 0], pairs[:, 1]
    swap = boxes[a, 0] + boxes[a, 2] > boxes[b, 0] + boxes[b, 2]
    a, b = np.where(swap, b, a), np.where(swap, a, b)
    common = np.minimum(boxes[a, 3], boxes[b, 3]) - np.maximum(boxes[a, 1], boxes[b, 1])
    lower = np.minimum(boxes[a, 3] - boxes[a, 1], boxes[b, 3] - boxes[b, 1])
    gap = (boxes[b, 0] - boxes[a, 2]).astype(np.float64)
    return Neighbours(a, b, gap, np.clip(common / np.maximum(lower, 1), 0.0, 1.0))


def join(count: int, left: NDArray[np.intp], right: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the group number, (count,), of each of `count` things after joining every left[i] with right[i]."""
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        parent[root(a)] = root(b)
    return np.unique([root(i) for i in range(count)], return_inverse=True)[1]


def members(groups: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Return the indices in each group."""
    order = np.argsort(groups, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(groups[order])) + 1)


def split(boxes: Boxes, groups: NDArray[np.intp]) -> list[Boxes]:
    """Return the boxes of each group."""
    return [boxes[part] for part in members(groups)]
