"""Separate ink from background, for dark and for light writing, without one threshold for the whole page."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]

BACKGROUND_STEP = 4  # the background is estimated on every 4th pixel of every 4th row
BACKGROUND_WINDOW = 61  # of those; 244 px of the page, so that writing never fills half a window
CONTRAST_STEP = 8
INK_SHARE = 0.40  # a pixel is ink when it is this deep, relative to the deepest pixel around it
DEPTH_CAP = 75  # deeper than this is ink, whatever stands beside it: grey text next to black text
DEPTH_FLOOR = 14  # shallower than this is paper grain


@dataclass(frozen=True)
class Ink:
    """What was written on a page, by polarity.

    dark: (H, W) uint8, 255 = ink that is darker than its surroundings.
    light: (H, W) uint8, 255 = ink that is lighter than its surroundings.
    depth: (H, W) uint8, absolute difference from the background in grey levels.
    """

    dark: Gray
    light: Gray
    depth: Gray


def estimate_background(gray: Gray) -> Gray:
    """Return the local median, (H, W) uint8: writing covers less than half of any neighbourhood."""
    sample = np.ascontiguousarray(gray[::BACKGROUND_STEP, ::BACKGROUND_STEP])
    median = cv2.medianBlur(sample, BACKGROUND_WINDOW)  # beyond the edge it repeats the edge, which is mostly paper
    return np.asarray(cv2.resize(median, gray.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


def find_ink(gray: Gray) -> Ink:
    """Binarise a page, (H, W) uint8, by the depth of each pixel below or above the local background."""
    background = estimate_background(gray)
    darker, lighter = cv2.subtract(background, gray), cv2.subtract(gray, background)
    depth = np.asarray(cv2.max(darker, lighter), np.uint8)
    threshold = _threshold(depth)
    dark, light = _over(darker, threshold), _over(lighter, threshold)
    return Ink(dark, light, depth)


def _over(depth: cv2.typing.MatLike, threshold: Gray) -> Gray:
    return np.asarray(cv2.compare(depth, threshold, cv2.CMP_GT), np.uint8)


def _threshold(depth: Gray) -> Gray:
    """Local threshold, (H, W) uint8: a share of the deepest ink within about 40 px, between the floor and the cap."""
    step = CONTRAST_STEP
    smooth = cv2.blur(depth, (3, 3))  # a single hot pixel is not ink
    peaks = cv2.dilate(smooth, np.ones((step, step), np.uint8))[step // 2 :: step, step // 2 :: step]
    if peaks.size == 0:
        peaks = smooth[:1, :1]
    peaks = cv2.blur(cv2.dilate(peaks, np.ones((7, 7), np.uint8)), (7, 7))
    share = np.clip(peaks.astype(np.float32) * INK_SHARE, DEPTH_FLOOR, DEPTH_CAP).astype(np.uint8)
    return np.asarray(cv2.resize(share, depth.shape[::-1], interpolation=cv2.INTER_LINEAR), np.uint8)
