"""Colour to gray so that writing shows: gray alone loses red on green, and white on transparent lies on white."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

PROBE = 4  # contrast is compared on a copy so many times smaller
WINDOW = 17  # px of that copy
LEAST_SPREAD = 16.0  # grey levels, standard deviation: less is no writing
CLEARER = 2.5  # times the spread of gray: a plane with less is no better ...
HIDDEN = 10.0  # ... nor one near a place where gray has more spread than this: it shows what is there
NEAR = 9  # px of that copy: an edge that gray shows well looks hidden where its window holds the end of it alone
OPAQUE = 200  # alpha; less opaque pixels are edges
UNIFORM = 48  # grey levels: what is visible of a picture with more between its tenths shows by itself
BRIGHT = 160  # grey level; brighter writing shows on black better than on white
BLACK, MIDDLE, WHITE = 0, 128, 255  # grey levels of the ground
LEAST_OF_EACH = 0.08  # share of what is visible: so much bright and so much dark writing shows on gray alone ...
MOST_VISIBLE = 0.5  # ... where no more of the image is visible: a picture has its own ground


def clearest(bgr: NDArray[np.uint8], gray: Gray) -> Gray:
    """Return gray, (H, W) uint8, and where one of the planes of (H, W, 3) shows what gray hides, that plane."""
    mixed = weight_of_planes(_smaller(bgr))
    if mixed is None:
        return gray
    plane, share = mixed
    weight = cv2.resize(share, gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
    blend = gray + weight * (bgr[:, :, plane].astype(np.float32) - gray)
    return np.asarray(np.clip(blend + 0.5, 0, 255), np.uint8)


def weight_of_planes(probe: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32]] | None:
    """Return the plane that shows most of what gray hides, and how much it counts, (h, w) float32; None: gray does.

    probe: (h, w, 3) uint8 BGR, a small copy of the page.
    """
    gray = np.asarray(cv2.cvtColor(probe, cv2.COLOR_BGR2GRAY), np.uint8)
    spreads, shown = np.stack([_spread(probe[:, :, plane]) for plane in range(3)]), _spread(gray)
    is_hidden = cv2.dilate(shown, np.ones((NEAR, NEAR), np.uint8)) <= HIDDEN
    better = (spreads >= LEAST_SPREAD) & (spreads >= CLEARER * shown) & is_hidden
    if not better.any():
        return None
    plane = int(np.where(better, spreads, 0).sum(axis=(1, 2)).argmax())
    share = cv2.dilate(better[plane].astype(np.float32), np.ones((WINDOW, WINDOW), np.uint8))
    return plane, np.asarray(cv2.blur(share, (5, 5)), np.float32)


def _smaller(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of PROBE x PROBE px; halved step by step, which is several times quicker than at once."""
    height, width = (max(1, side // PROBE) for side in image.shape[:2])
    whole = image[: height * PROBE, : width * PROBE]
    halved = cv2.resize(whole, (width * 2, height * 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(halved, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _spread(plane: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the standard deviation around each pixel, (h, w) float32 grey levels."""
    values = plane.astype(np.float32)
    mean = cv2.blur(values, (WINDOW, WINDOW))
    return np.sqrt(np.maximum(cv2.blur(values * values, (WINDOW, WINDOW)) - mean * mean, 0)).astype(np.float32)


def over_ground(gray: Gray, alpha: Gray) -> Gray:
    """Blend (H, W) over a ground on which all shows that is visible: white, black for bright writing, gray for both."""
    ground = np.uint16(_ground(gray, alpha))
    blend: NDArray[np.integer[Any]] = gray.astype(np.uint16)
    blend *= alpha
    blend += ground * (np.uint16(255) - alpha.astype(np.uint16))
    blend += np.uint16(127)
    blend //= np.uint16(255)
    return blend.astype(np.uint8)


def _ground(gray: Gray, alpha: Gray) -> int:
    visible = gray[alpha >= OPAQUE]
    if visible.size in (0, gray.size):
        return WHITE
    low, middle, high = np.percentile(visible, (10, 50, 90))
    if high - low <= UNIFORM and middle >= BRIGHT:
        return BLACK
    is_mixed = (visible >= BRIGHT).mean() >= LEAST_OF_EACH and (visible <= WHITE - BRIGHT).mean() >= LEAST_OF_EACH
    return MIDDLE if is_mixed and visible.size <= MOST_VISIBLE * gray.size else WHITE
