"""One line as it was found, by whatever means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TextLine:
    """One line of writing.

    polygon: (4, 2) float32 px of the searched page, origin top-left, clockwise from the line's top-left.
    height: px, of its taller characters.
    in_doubt: found by a second look, and no writing unless it reads surely.
    cells: of a column whose characters stand upright below each other: their borders, (N + 1,) px from its top.
    """

    polygon: NDArray[np.float32]
    height: float
    in_doubt: bool = False
    cells: NDArray[np.float64] | None = None

    @classmethod
    def boxed(cls, hull: NDArray[Any], *, in_doubt: bool = False) -> TextLine:
        """Return a line that fills an upright box, (4,) px: left, top, right, bottom."""
        left, top, right, bottom = (float(value) for value in hull)
        polygon = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)
        return cls(polygon, bottom - top, in_doubt)

    @cached_property
    def hull(self) -> NDArray[np.float64]:
        """The upright box around it, (4,) px: left, top, right, bottom."""
        return np.concatenate([self.polygon.min(0), self.polygon.max(0)]).astype(np.float64)


def distance(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Return how far two corners, (2,) px, are apart, in px; quicker than NumPy's norm."""
    return math.hypot(float(b[0]) - float(a[0]), float(b[1]) - float(a[1]))


def hulls_of(lines: Sequence[TextLine]) -> NDArray[np.float64]:
    """Return the upright boxes around lines, (N, 4) px."""
    return np.array([line.hull for line in lines], np.float64).reshape(-1, 4)
