"""From the map of a DB detector, which shows each line shrunk, to the boxes of the lines."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

LIKELY = 0.3  # a pixel with a higher probability lies in a line
LEAST_MEAN = 0.5  # of the probabilities in a line
LEAST_SIDE = 3.0  # px, of a shrunk line
GROWTH = 1.6  # area to circumference: by so much of it a shrunk line is widened on every side; as PP-OCR has it


def boxes_of(probability: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return the lines in the map of a page, (H, W), as boxes, (4, 2) px clockwise from the top-left, in no order."""
    likely = cv2.dilate((probability > LIKELY).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(likely, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours:
        middle, (wide, tall), angle = cv2.minAreaRect(contour)
        if min(wide, tall) < LEAST_SIDE or _mean_within(probability, contour) < LEAST_MEAN:
            continue
        out = wide * tall * GROWTH / (wide + tall)
        boxes.append(_clockwise(cv2.boxPoints((middle, (wide + out, tall + out), angle))))
    return boxes


def _mean_within(probability: NDArray[np.float32], contour: cv2.typing.MatLike) -> float:
    left, top, wide, tall = cv2.boundingRect(contour)
    mask = np.zeros((tall, wide), np.uint8)
    cv2.drawContours(mask, [contour], -1, 1, cv2.FILLED, offset=(-left, -top))
    return float(cv2.mean(probability[top : top + tall, left : left + wide], mask)[0])


def _clockwise(corners: cv2.typing.MatLike) -> NDArray[np.float32]:
    """Return the corners of a box from the upper one of its left side on."""
    by_side = np.asarray(corners, np.float32)[np.argsort(corners[:, 0], kind="stable")]
    left, right = (side[np.argsort(side[:, 1], kind="stable")] for side in (by_side[:2], by_side[2:]))
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
