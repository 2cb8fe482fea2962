"""A page that is being composed: its pixels and the boxes of its lines."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.detector.inks import LineInk, parts_of

Gray = NDArray[Any]
Quad = NDArray[np.float32]  # (4, 2) px, clockwise from the line's top-left

SMALLEST = 5  # px; lower writing is not written
VISIBLE = 0.75  # of its height; a line that the page's edge cuts deeper is unclear


@dataclasses.dataclass
class Page:
    """A page and what is known of it.

    image: (H, W) uint8, 0 = black. quads: the lines' boxes, tight around the ink, px of the image.
    unclear: boxes of writing that something partly hides: neither right nor wrong to find.
    """

    image: Gray
    quads: list[Quad] = dataclasses.field(default_factory=list)
    unclear: list[Quad] = dataclasses.field(default_factory=list)

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.image.shape[0])

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.image.shape[1])

    def hide(self, left: int, top: int, right: int, bottom: int) -> None:
        """Say that a box is about to be painted over."""
        met = [_meets(quad, left, top, right, bottom) for quad in self.quads]
        self.unclear += [quad for quad, hidden in zip(self.quads, met, strict=True) if hidden]
        self.quads = [quad for quad, hidden in zip(self.quads, met, strict=True) if not hidden]

    def is_free(self, left: int, top: int, right: int, bottom: int) -> bool:
        """Tell whether no line meets a box."""
        return not any(_meets(quad, left, top, right, bottom) for quad in self.quads)

    def join(self, first: int, gap: float) -> None:
        """Make one line of the lines from index `first` on where they follow each other within `gap` px."""
        quads, self.quads = self.quads[first:], self.quads[:first]
        for quad in quads:
            last = self.quads[-1] if len(self.quads) > first else None
            if last is not None and 0 <= quad[0, 0] - last[1, 0] <= gap:
                (x0, y0), (x1, y1) = np.minimum(last[0], quad[0]), np.maximum(last[2], quad[2])
                self.quads[-1] = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
            else:
                self.quads.append(quad)

    def write(self, line: LineInk, at: tuple[float, float], size: float, colour: float, limit: float = 1e9) -> float:
        """Paste a line, its top-left ink at a point, `size` px to the em, cut at a gap before `limit` px.

        Returns:
            The x of its right end; that of its start where nothing was written.
        """
        scale = 1.0 if line.is_screen else size / line.em
        ink = _cut(line.ink, limit / scale)
        shape = round(ink.shape[0] * scale), round(ink.shape[1] * scale)
        if shape[0] < SMALLEST or shape[1] < SMALLEST:
            return at[0]
        if scale != 1.0:
            method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            ink = np.asarray(cv2.resize(ink, shape[::-1], interpolation=method), np.uint8)
        left, top = round(at[0]), round(at[1])
        if not self.blend(ink, left, top, colour):
            return at[0]
        for part in parts_of(ink):
            self._add(np.array(part) + np.array([left, top, left, top]))
        return at[0] + shape[1]

    def _add(self, box: NDArray[np.int_]) -> None:
        """Note a box (left, top, right, bottom), as far as the page goes."""
        x0, y0, x1, y1 = np.clip(box, 0, np.array([self.width, self.height] * 2)).tolist()
        quad = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
        if x1 > x0 and y1 > y0:
            is_whole = y1 - y0 >= VISIBLE * (box[3] - box[1])
            (self.quads if is_whole else self.unclear).append(quad)

    def blend(self, coverage: Gray, left: int, top: int, colour: float) -> bool:
        """Paint `colour` through a coverage, (h, w) uint8; False where all of it lies outside."""
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(self.width, left + coverage.shape[1]), min(self.height, top + coverage.shape[0])
        if x0 >= x1 or y0 >= y1:
            return False
        alpha = coverage[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32) * (1 / 255)
        view = self.image[y0:y1, x0:x1]
        below = view.astype(np.float32)  # in uint8 the difference would wrap around
        view[:] = np.clip(below + alpha * (colour - below), 0, 255).astype(np.uint8)
        return True


def _cut(ink: Gray, limit: float) -> Gray:
    """Cut an ink before `limit` columns, at the last empty column if there is one in reach."""
    if ink.shape[1] <= limit:
        return ink
    end = max(1, int(limit))
    empty = np.flatnonzero(ink[:, :end].max(0) == 0)
    if len(empty) and empty[-1] > 0.6 * end:
        end = int(empty[-1])
    return ink[:, :end]


def _meets(quad: Quad, left: int, top: int, right: int, bottom: int) -> bool:
    x0, y0 = quad.min(0)
    x1, y1 = quad.max(0)
    return bool(x0 <= right and x1 >= left and y0 <= bottom and y1 >= top)
