"""What the network should say about a page: maps at a quarter of its size, made from the lines' boxes."""

from __future__ import annotations

import dataclasses
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.detector.page import Page, Quad

STRIDE = 4
SHRINK = 0.25  # of a line's height: the kernel is that much smaller on every side, so that lines do not touch
LEAST_KERNEL = 5.0  # px; less is lost between the cells of the maps
LEAST_HEIGHT = 7.0  # px; lower lines are neither asked for nor punished
LEAST_VISIBLE = 0.75  # of the area; lines that reach out of the picture further are ignored, too
SUBPIXEL = 4  # bits


@dataclasses.dataclass(frozen=True)
class Targets:
    """Maps of a page, all (H / 4, W / 4) float32.

    kernel: share of the cell that the shrunk lines cover, 0..1.
    above, below: log2 of the distance in px from the cell's middle to the line's upper and lower edge, in kernels.
    weight: 0 where the page says nothing, else 1.
    """

    kernel: NDArray[np.float32]
    above: NDArray[np.float32]
    below: NDArray[np.float32]
    weight: NDArray[np.float32]


def make_targets(page: Page, side: int) -> Targets:
    """Targets of a page of `side` x `side` px."""
    cells = side // STRIDE
    kernel, ignored = np.zeros((side, side), np.uint8), np.zeros((side, side), np.uint8)
    above, below = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    for quad in page.unclear:
        _fill(ignored, quad)
    for quad in page.quads:
        tall = height_of(quad)
        if not _is_asked_for(quad, tall, side):
            _fill(ignored, quad)
            continue
        inner = shrink(quad, SHRINK * tall)
        _fill(kernel, inner)
        _distances(above, below, quad, inner)
    share = np.asarray(cv2.resize(kernel, (cells, cells), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    weight = 1 - (cv2.resize(ignored, (cells, cells), interpolation=cv2.INTER_AREA) > 0).astype(np.float32)
    return Targets(share, above, below, weight)


def height_of(quad: Quad) -> float:
    """Mean length of the two short sides, px."""
    return float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1])) / 2


def shrink(quad: Quad, margin: float) -> Quad:
    """Return the middle of a line's box: every side moved inwards by `margin` px, but LEAST_KERNEL is left.

    A lone digit is narrower than two margins, so its middle may be wider than its box.
    """
    centre = quad.mean(0)
    along, down = (quad[1] + quad[2] - quad[0] - quad[3]) / 2, (quad[3] + quad[2] - quad[0] - quad[1]) / 2
    wide, tall = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    least_wide, least_tall = max(LEAST_KERNEL, 2 * margin), min(LEAST_KERNEL, tall)
    x = max(wide - 2 * margin, least_wide) / max(wide, 1e-6)
    y = max(tall - 2 * margin, least_tall) / max(tall, 1e-6)
    if x * wide > wide - 2 * margin:  # narrow: no matter how the sides lean
        a, d = along * x / 2, down * y / 2
        return np.asarray(centre + np.array([-a - d, a - d, a + d, d - a]), np.float32)
    a, d = along * (1 - x) / 2, down * (1 - y) / 2
    return np.asarray(quad + np.array([a + d, d - a, -a - d, a - d]), np.float32)


def _is_asked_for(quad: Quad, tall: float, side: int) -> bool:
    if tall < LEAST_HEIGHT:
        return False
    x0, y0 = quad.min(0)
    x1, y1 = quad.max(0)
    rows = min(y1, side) - max(y0, 0)
    is_cut = x0 < 0 or x1 > side
    return bool(rows >= LEAST_VISIBLE * (y1 - y0) and (not is_cut or min(x1, side) - max(x0, 0) >= tall))


def _fill(canvas: NDArray[np.uint8], quad: Quad) -> None:
    points = np.round((quad - 0.5) * (1 << SUBPIXEL)).astype(np.int32)
    cv2.fillConvexPoly(canvas, points, (255,), cv2.LINE_AA, SUBPIXEL)


def _distances(above: NDArray[Any], below: NDArray[Any], quad: Quad, inner: Quad) -> None:
    cells = above.shape[0]
    x0, y0 = np.clip(np.floor(inner.min(0) / STRIDE).astype(int) - 1, 0, cells)
    x1, y1 = np.clip(np.ceil(inner.max(0) / STRIDE).astype(int) + 1, 0, cells)
    if x0 >= x1 or y0 >= y1:
        return
    box = inner / STRIDE - np.array([x0, y0])
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    cv2.fillConvexPoly(mask, np.round((box - 0.5) * 16).astype(np.int32), (1,), cv2.LINE_8, SUBPIXEL)
    x = (np.arange(x0, x1)[None, :] + 0.5) * STRIDE
    y = (np.arange(y0, y1)[:, None] + 0.5) * STRIDE
    for target, (a, b), sign in ((above, quad[:2], 1), (below, (quad[3], quad[2]), -1)):
        slope = (b[1] - a[1]) / max(b[0] - a[0], 1e-6)
        distance = sign * (y - (a[1] + slope * (x - a[0])))
        view = target[y0:y1, x0:x1]
        view[mask > 0] = np.log2(np.clip(distance, 1.0, None)).astype(np.float32)[mask > 0]
