"""Paper, light, printers, scanners, cameras and codecs: what happens to ink before it becomes an upload.

Every function takes and returns (H, W) uint8 and draws its strength from the given generators.
"""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[Any]  # OpenCV's own annotations are wider than what its functions return


def strokes(ink: Gray, rng: random.Random) -> Gray:
    """Heavier or lighter strokes, or dots in their place; most lines stay as they are."""
    draw = rng.random()
    if draw < 0.12:
        ink = cv2.dilate(ink, np.ones(rng.choice(((2, 2), (1, 2), (2, 1), (3, 3))), np.uint8))
    elif draw < 0.20:
        ink = cv2.erode(ink, np.ones(rng.choice(((2, 2), (1, 2), (2, 1))), np.uint8))
    return dots(ink, rng) if rng.random() < 0.03 else ink


def dots(ink: Gray, rng: random.Random) -> Gray:
    """Dot-matrix print: ink only where a round pin struck."""
    pitch = rng.choice((3, 4, 5))
    rows, columns = np.mgrid[: ink.shape[0], : ink.shape[1]]
    inside = ((rows % pitch - pitch / 2) ** 2 + (columns % pitch - pitch / 2) ** 2) < (
        pitch * rng.uniform(0.42, 0.62)
    ) ** 2
    return cv2.GaussianBlur(np.where(inside, ink, 0).astype(np.uint8), (3, 3), 0)


def bend(coverage: Gray, rng: random.Random) -> Gray:
    """A curved baseline: columns shift along part of a wave."""
    rows, columns = coverage.shape
    phase, waves = rng.uniform(0, 6.3), rng.uniform(0.3, 1.2)
    shift = np.sin(np.linspace(phase, phase + waves * 6.3, columns)) * rows * rng.uniform(0.02, 0.09)
    xs, ys = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    return cv2.remap(coverage, xs, (ys + shift.astype(np.float32)), cv2.INTER_LINEAR)


def clouds(shape: tuple[int, int], noise: np.random.Generator, cells: int) -> Gray:
    """Smooth random field in -1..1: uneven light, stained or textured paper."""
    rows = max(2, cells // 4)
    coarse = noise.uniform(-1, 1, (rows, cells)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def paint(coverage: Gray, rng: random.Random, noise: np.random.Generator) -> Gray:
    """Ink on a background: plain, shaded, textured, inverse, faded, outlined."""
    light, dark = rng.uniform(150, 255), rng.uniform(0, 110)
    draw = rng.random()
    if draw < 0.12:
        dark = light - (rng.uniform(18, 40) if draw < 0.025 else rng.uniform(35, 80))
    paper, ink = (dark, light) if rng.random() < 0.18 else (light, dark)
    share = coverage.astype(np.float32) * (1 / 255)
    background: Any = paper
    draw = rng.random()
    contrast = abs(light - dark)
    if draw < 0.14:
        background = paper + clouds(coverage.shape, noise, 4) * contrast * rng.uniform(0.05, 0.35)
    elif draw < 0.24:
        background = paper + clouds(
            coverage.shape, noise, max(4, coverage.shape[1] // rng.randint(3, 20))
        ) * contrast * rng.uniform(0.05, 0.3)
    elif draw < 0.32:
        ramp = np.linspace(-1, 1, coverage.shape[1], dtype=np.float32)[None, :]
        background = paper + ramp * contrast * rng.uniform(-0.4, 0.4)
    if rng.random() < 0.08:
        share = share * (
            1 - rng.uniform(0.2, 0.75) * np.clip(clouds(coverage.shape, noise, rng.choice((3, 8, 30))), 0, 1)
        )
    if rng.random() < 0.04:
        edge = cv2.dilate(coverage, np.ones((3, 3), np.uint8)).astype(np.float32) / 255
        background = background * (1 - edge) + edge * (255 - ink)
    image = background * (1 - share) + ink * share
    if rng.random() < 0.06:
        share_lit = np.linspace(rng.uniform(0.4, 1), rng.uniform(0.4, 1), image.shape[1], dtype=np.float32)
        image = image * share_lit[None, :]
    return np.clip(image, 0, 255).astype(np.uint8)


def spoil(image: Gray, rng: random.Random, noise: np.random.Generator, fax: float = 0.11) -> Gray:
    """Blur, noise, thresholding, speckle, resampling and JPEG; a quarter of the lines stay as they are.

    fax: how many of the rest become black and white, 0..1.
    """
    if rng.random() < 0.25:
        return image
    if rng.random() < 0.12:
        return coarse(image, rng)
    if rng.random() < 0.3:
        image = blur(image, rng)
    if rng.random() < 0.3:
        grain = noise.standard_normal(image.shape, dtype=np.float32) * rng.uniform(2, 22)
        grain *= min(1.0, float(np.ptp(image)) / 90)  # faint writing would drown
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    draw = rng.random()
    if draw < fax and image.shape[0] >= 14:
        image = bilevel(image, rng, noise)
    elif draw < fax + 0.09:
        image = shrink(image, rng)
    if rng.random() < 0.03 and image.shape[0] >= 14:
        image = cv2.medianBlur(image, 3)
    return pack(image, rng, 15) if rng.random() < 0.25 else image


def pack(image: Gray, rng: random.Random, worst: int) -> Gray:
    """Through JPEG of a quality of `worst` to 85; its blocks begin anywhere, as in a page that a line is cut from."""
    top, left = rng.randint(0, 7), rng.randint(0, 7)
    page = cv2.copyMakeBorder(image, top, 8, left, 8, cv2.BORDER_REPLICATE)
    _, packed = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(worst, 85)])
    page = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    return page[top : top + image.shape[0], left : left + image.shape[1]]


def coarse(image: Gray, rng: random.Random) -> Gray:
    """A page of few pixels: shrunk to letters of about 8 to 12 pixels, packed, sharpened, enlarged again."""
    rows, columns = image.shape
    factor = min(1.0, rng.uniform(9.5, 15) / rows)
    how = rng.choice(
        (cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC) if factor > 0.4 else (cv2.INTER_AREA,)
    )
    size = max(4, round(columns * factor)), max(6, round(rows * factor))
    small = cv2.resize(image, size, interpolation=how)
    if rng.random() < 0.6:
        small = pack(small, rng, 30)
    if rng.random() < 0.2:
        soft = cv2.GaussianBlur(small, (0, 0), 1.0)
        small = np.asarray(cv2.addWeighted(small, 1.8, soft, -0.8, 0), np.uint8)
    if rng.random() < 0.4:
        return small
    enlarged = rng.uniform(1.2, 4.0)
    how = rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST))
    return cv2.resize(small, None, fx=enlarged, fy=enlarged, interpolation=how)


def blur(image: Gray, rng: random.Random) -> Gray:
    """Out of focus, or moved while the shutter was open; strength grows with the line's height."""
    size = image.shape[0]
    if rng.random() < 0.7:
        return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 0.035 * size + 0.45))
    length = max(2, round(size * rng.uniform(0.04, 0.12)))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.7:
        kernel[length // 2, :] = 1 / length
    else:
        np.fill_diagonal(kernel, 1 / length)
    return cv2.filter2D(image, -1, kernel)


def bilevel(image: Gray, rng: random.Random, noise: np.random.Generator) -> Gray:
    """A fax or a black-and-white scan: enlarge a little, threshold at a random level, speckle."""
    if rng.random() < 0.4:
        image = cv2.resize(image, None, fx=rng.uniform(1, 1.8), fy=rng.uniform(1, 1.8), interpolation=cv2.INTER_LINEAR)
    low, high = np.percentile(image[::2, ::2], (2, 98))
    level: Any = low + (high - low) * rng.uniform(0.3, 0.72)
    if rng.random() < 0.4:  # worn type and poor ink: strokes break here and run together there
        rows, columns = image.shape
        grain = noise.standard_normal((max(2, rows // 3), max(2, columns // 3)), dtype=np.float32)
        level = level + cv2.resize(grain, (columns, rows), interpolation=cv2.INTER_LINEAR) * (high - low) * rng.uniform(
            0.08, 0.3
        )
    black = image < level
    if rng.random() < 0.4:
        flip = noise.random(image.shape, dtype=np.float32)
        amount = rng.uniform(0.001, 0.03)
        black = (black & (flip > amount)) | (flip > 1 - amount * rng.uniform(0, 0.6))
    return np.where(black, np.uint8(rng.randint(0, 60)), np.uint8(rng.randint(200, 255)))


def shrink(image: Gray, rng: random.Random) -> Gray:
    """Lose detail and be enlarged again, by a screen, a web page or a cheap scanner."""
    rows, columns = image.shape
    factor = max(rng.uniform(0.4, 0.9), 9 / rows)
    if factor >= 1:
        return image
    how = rng.choice((cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_NEAREST if factor > 0.7 else cv2.INTER_AREA))
    small = cv2.resize(image, (max(4, round(columns * factor)), max(4, round(rows * factor))), interpolation=how)
    return cv2.resize(
        small, (columns, rows), interpolation=rng.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST))
    )
