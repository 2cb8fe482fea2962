"""Move the edges of a found line to its ink: what sees a line from afar does not see where exactly it ends."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes, find_pieces
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.classical import fragments
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page import crops

OUT = 0.35  # of the line's height: so far above and below the box its ink is looked for ...
SIDE = 0.5  # ... and so far at its ends
NEAR = 0.3  # of the height: ink that begins further from an end belongs to somebody else
CORE = 0.3  # of the height: pieces of the line reach into the box at least as deep
LEAST_PIECE = 0.2  # of the height; smaller pieces are specks, or dots that need no more room
FEWEST_PIECES = 3  # fewer do not say how high the characters are; the box does
SMALLEST = 6  # px; a smaller box is left as it is


def snap(gray: Gray, polygon: NDArray[np.float32]) -> TextLine:
    """Return the line in a box, (4, 2) px of the page, (H, W) uint8, with a box that holds the ink which this one cuts.

    A piece that runs out of the box's surroundings is a rule, a frame or another line, and moves nothing.
    """
    along, down = polygon[1] - polygon[0], polygon[3] - polygon[0]
    width, height = float(np.linalg.norm(along)), float(np.linalg.norm(down))
    if min(width, height) < 1:
        return TextLine(polygon, height)
    along, down = along / width, down / height
    origin = polygon[0] - OUT * height * down - SIDE * height * along
    wide, tall = width + 2 * SIDE * height, height * (1 + 2 * OUT)
    around = np.array([origin, origin + wide * along, origin + wide * along + tall * down, origin + tall * down])
    image = crops.warp(gray, around.astype(np.float32))
    if min(image.shape) < SMALLEST:
        return TextLine(polygon, height)
    step_x, step_y = wide / image.shape[1], tall / image.shape[0]
    inner = np.array([SIDE / step_x, OUT / step_y, (width / height + SIDE) / step_x, (1 + OUT) / step_y]) * height
    own = _own_pieces(image, inner)
    left, top, right, bottom = fragments.hull_of(np.concatenate([own, inner[None]])).tolist()
    characters = fragments.height_of(own) * step_y if len(own) >= FEWEST_PIECES else height
    x0, x1 = left * step_x * along, right * step_x * along
    y0, y1 = top * step_y * down, bottom * step_y * down
    corners = origin + np.array([x0 + y0, x1 + y0, x1 + y1, x0 + y1])
    return TextLine(np.asarray(corners, np.float32), characters)


def _own_pieces(image: Gray, inner: NDArray[np.float64]) -> Boxes:
    """Return the pieces of ink, (N, 4) px, that belong to the line in the box `inner` (left, top, right, bottom)."""
    left, top, right, bottom = inner
    rows, columns = image.shape
    tall = bottom - top
    level, _ = cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)
    core = image[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
    is_dark = np.count_nonzero(core <= level) < 0.5 * core.size  # writing covers less than its background
    ink = (image <= level) if is_dark else (image > level)
    boxes = find_pieces(ink.astype(np.uint8)).boxes
    x0, y0, x1, y1 = boxes.T
    inside = (x0 > 0) & (y0 > 0) & (x1 < columns) & (y1 < rows)
    belongs = (y0 < bottom - CORE * tall) & (y1 > top + CORE * tall) & (y1 - y0 >= LEAST_PIECE * tall)
    near = (x1 > left - NEAR * tall) & (x0 < right + NEAR * tall)
    return np.asarray(boxes[inside & belongs & near], boxes.dtype)
