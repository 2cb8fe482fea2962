"""Cut a line out of a page as the recogniser wants it: upright, tight, with the margin that it is used to."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from models.line_image import MARGIN
from worker.ocr.ink.ink import Gray

STRAIGHT = 1.0  # px; a polygon less tilted than this is cut without resampling


def widen(polygon: NDArray[np.float32], margin: float = MARGIN) -> NDArray[np.float32]:
    """Return the polygon, (4, 2) px, with a margin, a share of its height, added on every side."""
    (x0, y0), (x1, y1), _, (x3, y3) = polygon.tolist()  # of thousands of lines: NumPy takes longer over two numbers
    width, height = math.hypot(x1 - x0, y1 - y0), math.hypot(x3 - x0, y3 - y0)
    along, down = margin * height / max(width, 1e-6), margin * height / max(height, 1e-6)
    ax, ay, dx, dy = (x1 - x0) * along, (y1 - y0) * along, (x3 - x0) * down, (y3 - y0) * down
    out = [[-ax - dx, -ay - dy], [ax - dx, ay - dy], [ax + dx, ay + dy], [dx - ax, dy - ay]]
    return polygon + np.array(out, np.float32)


def shares_of(inner: NDArray[np.float32], outer: NDArray[np.float32]) -> tuple[float, float]:
    """Return where a line's polygon, (4, 2) px, begins and ends along another one of the same line, as shares of it."""
    side = outer[1] - outer[0]
    along = side / max(float(side @ side), 1e-12)
    return float((inner[0] - outer[0]) @ along), float((inner[1] - outer[0]) @ along)


def crop_line(gray: Gray, polygon: NDArray[np.float32], margin: float = MARGIN) -> Gray:
    """Return the line image, (h, w) uint8, under a polygon, (4, 2) px clockwise from the line's top-left, and a margin.

    What lies outside the page repeats the page's edge.
    """
    quad = widen(polygon, margin)
    if max(abs(quad[0, 1] - quad[1, 1]), abs(quad[0, 0] - quad[3, 0])) < STRAIGHT and quad[0, 0] < quad[1, 0]:
        return _cut(gray, quad)
    return warp(gray, quad)


def warp(gray: Gray, quad: NDArray[np.float32]) -> Gray:
    """Return what lies under a rectangle, (4, 2) px clockwise from its top-left, upright and in its own size."""
    width = max(1, round(float(np.linalg.norm(quad[1] - quad[0]))))
    height = max(1, round(float(np.linalg.norm(quad[3] - quad[0]))))
    target = np.array([[0, 0], [width, 0], [0, height]], np.float32)
    matrix = cv2.getAffineTransform(quad[[0, 1, 3]].astype(np.float32), target)
    image = cv2.warpAffine(gray, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(image, np.uint8)


def _cut(gray: Gray, quad: NDArray[np.float32]) -> Gray:
    height, width = gray.shape
    left, top = np.floor(quad.min(0) + 0.5).astype(int)
    right, bottom = np.floor(quad.max(0) + 0.5).astype(int)
    left, top = int(np.clip(left, 0, width - 1)), int(np.clip(top, 0, height - 1))
    return gray[top : max(top + 1, int(min(bottom, height))), left : max(left + 1, int(min(right, width)))]
