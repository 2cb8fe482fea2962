"""Cut a line out of a page as the recogniser wants it: upright, tight, with the margin that it is used to."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from models.line_image import MARGIN
from worker.ocr.ink.ink import Gray

STRAIGHT = 1.0  # px; a polygon less tilted than this is cut without resampling


def widen(polygon: NDArray[np.float32], margin: float = MARGIN) -> NDArray[np.float32]:
    """Return the polygon, (4, 2) px, with a margin, a share of its height, added on every side."""
    along, down = _axes(polygon)
    margin *= float(np.linalg.norm(polygon[3] - polygon[0]))
    out = margin * np.array([-along - down, along - down, along + down, down - along], np.float32)
    return (polygon + out).astype(np.float32)


def shares_of(inner: NDArray[np.float32], outer: NDArray[np.float32]) -> tuple[float, float]:
    """Return where a line's polygon, (4, 2) px, begins and ends along another one of the same line, as shares of it."""
    along, _ = _axes(outer)
    width = max(float(np.linalg.norm(outer[1] - outer[0])), 1e-6)
    return float((inner[0] - outer[0]) @ along) / width, float((inner[1] - outer[0]) @ along) / width


def _axes(polygon: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    along, down = polygon[1] - polygon[0], polygon[3] - polygon[0]
    return along / max(float(np.linalg.norm(along)), 1e-6), down / max(float(np.linalg.norm(down)), 1e-6)


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
