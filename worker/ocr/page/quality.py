"""Measured numbers about a page's image. What they should be is for the reader, or for `admission`, to say."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.ink import Gray, estimate_background

PROBE_SIDE = 1600  # px; contrast and blur are measured on a copy with no longer side
INK_SIDE = 800  # px; the same for ink
INK_DEPTH = 6  # grey levels; less is grain
MOST_LINES = 24  # evenly spread; more lines say nothing new
STEEP = 0.98  # share of the pixels of a line that are less steep than the steps that count
INK_AND_PAPER = (0.02, 0.98)  # shares of the pixels of a line between which its grey levels count

Quality = dict[str, float | None]


def measure_page(gray: Gray) -> Quality:
    """Return what can be said of a page, (H, W) uint8, before its lines are known.

    width, height: px. contrast: grey levels between the darkest and the lightest hundredth of the pixels, 0..255.
    blur: variance of the Laplacian; low means blurred, or empty. brightness: the median grey level, 0 = black.
    """
    probe = _probe(gray, PROBE_SIDE)
    low, middle, high = _levels(probe, (0.01, 0.5, 0.99))
    _, deviation = cv2.meanStdDev(cv2.Laplacian(probe, cv2.CV_16S))
    return {
        "width": gray.shape[1],
        "height": gray.shape[0],
        "contrast": float(high - low),
        "brightness": float(middle),
        "blur": round(float(deviation[0, 0]) ** 2, 1),
    }


def measure_ink(gray: Gray) -> float:
    """Return the share of a page, (H, W) uint8, that stands out from its surroundings, grain apart; 0..1."""
    probe = _probe(gray, INK_SIDE)
    smooth = cv2.blur(probe, (3, 3))
    return round(float((cv2.absdiff(smooth, estimate_background(probe)) >= INK_DEPTH).mean()), 4)


def measure_writing(images: Sequence[Gray], text_heights: Sequence[float]) -> Quality:
    """Return what can be said of line images, (h, w) uint8 each, whose characters are `text_heights` px high.

    Each is the median over the lines, None without lines. text_height: px. text_contrast: grey levels between ink and
    paper. softness: px that a step from ink to paper takes beyond the one that the sharpest takes, as a share of the
    text height; blurred writing has much, small writing that is sharp has little.
    """
    if not images:
        return {"text_height": None, "text_contrast": None, "softness": None}
    chosen = range(0, len(images), -(-len(images) // MOST_LINES))
    measured = np.array([_contrast_and_step(images[i]) for i in chosen])
    softness = (measured[:, 1] - 1.0) / np.maximum([text_heights[i] for i in chosen], 1.0)
    return {
        "text_height": round(float(np.median(text_heights)), 1),
        "text_contrast": round(float(np.median(measured[:, 0])), 1),
        "softness": round(max(0.0, float(np.median(softness))), 3),
    }


def _probe(gray: Gray, side: int) -> Gray:
    """Return the page, or a copy whose longer side is `side` px where it is longer."""
    scale = min(1.0, side / max(gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    return gray if scale == 1.0 else np.asarray(cv2.resize(gray, size, interpolation=cv2.INTER_AREA), np.uint8)


def _contrast_and_step(image: Gray) -> tuple[float, float]:
    """Return the grey levels between ink and paper of a line, and how many px its steepest steps take."""
    low, high = _levels(image, INK_AND_PAPER)
    contrast = float(high - low)
    if image.shape[1] < 2 or contrast == 0:
        return contrast, 1.0
    (steep,) = _levels(np.asarray(cv2.absdiff(image[:, 1:], image[:, :-1]), np.uint8), (STEEP,))
    return contrast, contrast / max(float(steep), 1.0)


def _levels(image: Gray, shares: Sequence[float]) -> NDArray[np.intp]:
    """Return the grey levels below which these shares of the pixels lie."""
    total = np.cumsum(cv2.calcHist([image], [0], None, [256], [0, 256]), dtype=np.int64)
    return np.asarray(np.searchsorted(total, np.asarray(shares) * total[-1]), np.intp)
