"""Where writing lies: 4 points clockwise from its top-left, pixels of the original page as it is seen."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[float, float]
Polygon = tuple[Point, Point, Point, Point]


def as_polygon(points: Sequence[Sequence[float]]) -> Polygon:
    """Return four points as a polygon, coordinates rounded to a tenth of a pixel.

    Raises:
        ValueError: Not four points.
    """
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in points)
    return a, b, c, d


def require_clockwise(polygon: Polygon) -> None:
    """Raise ValueError where the corners are not finite, or run counter-clockwise."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = polygon
    doubled_area = (cx - ax) * (dy - by) - (dx - bx) * (cy - ay)
    if not math.isfinite(doubled_area):
        raise ValueError(f"a polygon has finite corners, not {polygon}")
    if doubled_area < 0:
        raise ValueError(f"a polygon runs clockwise, {polygon} does not")


def to_points(polygon: Polygon) -> list[list[float]]:
    """Return its part of the `result` object."""
    return [[x, y] for x, y in polygon]


def from_points(points: Sequence[Sequence[float]]) -> Polygon:
    """The inverse of `to_points`."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points  # thousands of them in a document: rounded and made floats before
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)
