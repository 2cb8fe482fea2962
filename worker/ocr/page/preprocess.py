"""Turn a tilted page upright, and remember the way back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.copies import Copies, resized
from worker.ocr.ink.ink import Gray

Points = NDArray[np.float64]
FindLines = Callable[[Copies], Sequence[NDArray[np.floating[Any]]]]

LARGEST_ANGLE = 15.0  # degrees
LEAST_STEEP, LARGEST_STEEP = 12.0, 78.0  # degrees; what lies nearer to a quarter turn is turned by one
SMALLEST_ANGLE = 0.2  # degrees; below this turning blurs more than it helps
FEWEST_PIECES = 4  # fewer characters than this say nothing about the page
MOST_PROBES = 4000
FEW_PIECES = 32  # with fewer, ink says more than feet do
MOST_AT_EDGES = 0.04  # of the border may be ink; where it is more, what is behind the writing has a direction, too
FEWEST_PIXELS, MOST_PIXELS = 50, 1200
FULL = 0.85  # of its box: a long piece of ink that fills it is a rule
PROFILE = 64  # parts of the height of the page that the profile of its ink has
CONFIRMED = 0.5  # of the tilt that was measured: lines that were found are tilted by so much, too
LEAST_ASPECT = 1.5  # length of such a line, in heights
IDENTITY = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LEAST_GAIN = 1.08  # the best angle's profile must be this much sharper than that of the page as it is
CHANCE = 5.0  # with few feet by so much a degree, up to one, divided by their number: they may stand in a row by chance
LEAST_GAIN_OF_INK = 1.15  # the same, of all ink
TALLEST = 48.0  # px: a character on a page that is only a few lines high; else an eighth of the page


@dataclass(frozen=True)
class Upright:
    """An upright page.

    image: (H', W') uint8, 0 = black.
    angle: degrees by which the writing on the original page is turned, counter-clockwise positive, -180 to 180.
    to_page: (2, 3) float64 affine matrix from pixels of `image` to pixels of the original page, origin top-left.
    """

    image: Gray
    angle: float
    to_page: NDArray[np.float64]

    @cached_property
    def copies(self) -> Copies:
        """The image at other sizes, and its ink."""
        return Copies(self.image)

    def map_to_page(self, polygon: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Map points, (N, 2) px of `image`, to (N, 2) px of the original page."""
        return np.asarray(polygon @ self.to_page[:, :2].T + self.to_page[:, 2], np.float64)


def as_is(gray: Gray) -> Upright:
    """Return the page, (H, W) uint8, untouched."""
    return Upright(gray, 0.0, IDENTITY)


def shrunk(upright: Upright, share: float) -> Upright:
    """Return an upright page at a share of its size."""
    image = resized(upright.image, share)
    scale = np.array([before / now for before, now in zip(upright.image.shape[::-1], image.shape[::-1], strict=True)])
    return Upright(image, upright.angle, upright.to_page * np.append(scale, 1.0))


def straighten(gray: Gray, find: FindLines | None = None) -> Upright:
    """Return the page, (H, W) uint8, turned upright where its writing is tilted by 0.2 to 15 degrees.

    Args:
        gray: The page.
        find: Finds lines on the page as it is, (4, 2) px each, clockwise from the top left. It is asked where little
            writing is tilted by a degree and more: lines that begin further and further right look so, too.
    """
    upright = as_is(gray)
    angle = estimate_angle(upright.copies)
    if abs(angle) < SMALLEST_ANGLE:
        return upright
    if find and abs(angle) >= 1.0 and len(_feet(upright.copies)[0]) < FEW_PIECES:
        found = tilt_of(find(upright.copies))
        if found is not None and found / angle < CONFIRMED:
            return upright
    return turn(gray, angle)


def tilt_of(lines: Sequence[NDArray[np.floating[Any]]]) -> float | None:
    """Return the tilt of most writing in lines, (4, 2) px, degrees as of `estimate_angle`; None: all are short."""
    along = np.array([(line[1] - line[0] + line[2] - line[3]) / 2 for line in lines]).reshape(-1, 2)
    tall = np.array([np.linalg.norm(line[3] - line[0]) for line in lines])
    length = np.linalg.norm(along, axis=1)
    along, length = along[length >= LEAST_ASPECT * tall], length[length >= LEAST_ASPECT * tall]
    if not len(along):
        return None
    tilts = -np.degrees(np.arctan2(along[:, 1], along[:, 0]))
    order = np.argsort(tilts)
    return float(tilts[order][np.searchsorted(np.cumsum(length[order]), length.sum() / 2)])


def turn(gray: Gray, angle: float) -> Upright:
    """Turn a page clockwise by `angle` degrees on a canvas that holds all of it; corners are filled with its border."""
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1.0)
    sine, cosine = abs(math.sin(math.radians(angle))), abs(math.cos(math.radians(angle)))
    size = math.ceil(width * cosine + height * sine), math.ceil(height * cosine + width * sine)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    border = float(np.median(np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])))
    image = cv2.warpAffine(
        gray, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(border,)
    )
    return Upright(np.asarray(image, np.uint8), angle, np.asarray(cv2.invertAffineTransform(matrix), np.float64))


def estimate_angle(page: Copies) -> float:
    """Return the tilt of the writing on a page in degrees, counter-clockwise positive; 0 if unsure.

    The feet of the characters are projected along each candidate direction; along the writing they pile up. Of a line
    or two, whose few feet may stand in a row by chance or touch each other, all ink is.
    """
    feet, height = _feet(page)
    if len(feet) >= FEW_PIECES:
        return _along_feet(feet, height)
    if _share_at_edges(page.main_ink(page.usual_scale)) > MOST_AT_EDGES:  # a word cut out of a photograph
        return 0.0
    return _along_ink(page) or _along_feet(feet, height)


def estimate_steep_angle(page: Copies) -> float:
    """Return the tilt of writing that stands slanting on its page, 12 to 78 degrees either way, as of `estimate_angle`.

    0 where its ink does not pile up clearly more so than along the rows and the columns; reading must confirm it.
    """
    ink, bin_px = _ink(page), page.image(page.usual_scale).shape[0] / PROFILE
    if len(ink) < FEWEST_PIXELS:
        return 0.0
    slants = np.arange(LEAST_STEEP, LARGEST_STEEP + 0.1, 1.0)
    angles = np.concatenate([-slants[::-1], slants])
    level = max(_sharpness(ink, np.zeros(1), bin_px)[0], _sharpness(ink[:, ::-1], np.zeros(1), bin_px)[0])
    coarse = _sharpness(ink, angles, bin_px, is_steep=True)
    fine = angles[np.argmax(coarse)] + np.arange(-0.8, 0.81, 0.2)
    scores = _sharpness(ink, fine, bin_px, is_steep=True)
    return round(float(fine[np.argmax(scores)]), 2) if scores.max() >= LEAST_GAIN_OF_INK * level else 0.0


def _share_at_edges(ink: Gray) -> float:
    return float(np.mean(np.concatenate([ink[0], ink[-1], ink[:, 0], ink[:, -1]]) > 0))


def _along_ink(page: Copies) -> float:
    ink, bin_px = _ink(page), page.image(page.usual_scale).shape[0] / PROFILE
    if len(ink) < FEWEST_PIXELS:
        return 0.0
    return _sharpest(ink, bin_px, bin_px, lambda _: LEAST_GAIN_OF_INK)


def _along_feet(feet: Points, height: float) -> float:
    if len(feet) < FEWEST_PIECES:
        return 0.0
    chance = CHANCE / len(feet)
    return _sharpest(feet, height / 3, height / 5, lambda angle: max(LEAST_GAIN, 1.0 + chance * min(1.0, abs(angle))))


def _sharpest(points: Points, coarse_px: float, fine_px: float, wanted: Callable[[float], float]) -> float:
    """Return along which direction points pile up, in degrees; 0 if not by so much more than along the rows."""
    coarse = np.arange(-LARGEST_ANGLE, LARGEST_ANGLE + 0.01, 0.5)
    best = float(coarse[np.argmax(_sharpness(points, coarse, coarse_px))])
    fine = np.append(np.arange(best - 0.6, best + 0.61, 0.1), 0.0)
    *scores, level = _sharpness(points, fine, fine_px)
    best = float(fine[int(np.argmax(scores))])
    if max(scores) < wanted(best) * level or abs(best) > LARGEST_ANGLE:
        return 0.0
    return round(best, 2)


def _ink(page: Copies) -> Points:
    """Return pixels of the ink, level rules apart, (N, 2) px, so many that they say where it is."""
    ink, pieces = page.main_ink(page.usual_scale).copy(), page.main_pieces(page.usual_scale)
    tall, wide = pieces.heights, pieces.widths
    straight = (pieces.areas >= FULL * tall * wide) & ((wide > 6 * tall) | (tall > 6 * wide))
    for left, top, right, bottom in pieces.boxes[straight]:
        ink[top:bottom, left:right] = 0
    rows, columns = np.nonzero(ink)
    step = len(rows) // MOST_PIXELS + 1
    return np.column_stack([columns[::step], rows[::step]]).astype(np.float64)


def _feet(page: Copies) -> tuple[Points, float]:
    """Return the middle of the lower edge of each likely character, (N, 2) px, and the median character height."""
    pieces = page.main_pieces(page.usual_scale)
    tall, wide = pieces.heights, pieces.widths
    tallest = max(page.image(page.usual_scale).shape[0] / 8, TALLEST)
    likely = (tall >= 4) & (tall <= tallest) & (wide <= 6 * tall) & (tall <= 6 * wide)
    boxes = pieces.boxes[likely]
    if len(boxes) > MOST_PROBES:
        boxes = boxes[:: len(boxes) // MOST_PROBES + 1]
    if len(boxes) == 0:
        return np.zeros((0, 2)), 0.0
    feet = np.column_stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]])
    return feet, float(np.median(boxes[:, 3] - boxes[:, 1]))


def _sharpness(
    points: Points, angles: NDArray[np.float64], bin_px: float, *, is_steep: bool = False
) -> NDArray[np.float64]:
    """Sum of squares of the profile of points along lines that rise by each of the angles, degrees, to the right.

    Bins are measured down the page or, where it is steep, across the lines.
    """
    tall = bin_px / np.cos(np.radians(angles))[:, None] if is_steep else bin_px
    levels = points[:, 1] + np.tan(np.radians(angles))[:, None] * points[:, 0]
    bins = ((levels - levels.min(axis=1, keepdims=True)) / np.maximum(tall, 1.0)).astype(np.int64)
    width = int(bins.max()) + 3  # soft bins: no luck with the edges
    counts = np.bincount((bins + width * np.arange(len(angles))[:, None]).ravel(), minlength=width * len(angles))
    profiles = np.pad(counts.reshape(len(angles), width), ((0, 0), (1, 1))).astype(np.float64)
    soft = profiles[:, 1:-1] + 0.5 * (profiles[:, :-2] + profiles[:, 2:])
    return np.asarray((soft**2).sum(axis=1), np.float64)
