"""Measured numbers about a page's image. What they should be is for the reader, or a later rule, to say."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from worker.ocr.ink import Gray

PROBE_SIDE = 1600  # px; contrast and blur are measured on a copy with no longer side


def measure_quality(gray: Gray, text_heights: Sequence[float]) -> dict[str, float | None]:
    """Return the page's quality, (H, W) uint8.

    width, height: px. contrast: grey levels between the darkest and the lightest hundredth of the pixels, 0..255.
    blur: variance of the Laplacian; low means blurred, or empty. text_height: median height of the lines'
    characters in px, None without lines.
    """
    scale = min(1.0, PROBE_SIDE / max(gray.shape))
    size = max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale))
    probe = gray if scale == 1.0 else cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    total = np.cumsum(np.bincount(np.asarray(probe, np.uint8).ravel(), minlength=256))
    low, high = np.searchsorted(total, [0.01 * total[-1], 0.99 * total[-1]])
    return {
        "width": gray.shape[1],
        "height": gray.shape[0],
        "contrast": float(high - low),
        "blur": round(float(cv2.Laplacian(probe, cv2.CV_32F).var()), 1),
        "text_height": round(float(np.median(text_heights)), 1) if len(text_heights) else None,
    }
