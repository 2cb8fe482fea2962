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
    if rng.random() < 0.1:
        dark = light - rng.uniform(35, 80)
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


def embolden(ink: Gray, rng: random.Random) -> Gray:
    """Heavy letters, or their outlines, or as they are."""
    draw = rng.random()
    if draw < 0.45:
        size = rng.randint(2, 5)
        return np.asarray(cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
    if draw < 0.53:
        return np.asarray(cv2.morphologyEx(ink, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), np.uint8)
    return ink.copy()


def clutter(shape: tuple[int, int], rng: random.Random, noise: np.random.Generator) -> NDArray[np.float32]:
    """What stands behind a sign, in -1..1: soft patches, planks and panes, and the edges of things."""
    field = clouds(shape, noise, rng.choice((3, 5, 12))).astype(np.float32) * rng.uniform(0, 0.6)
    rows, columns = shape
    for _ in range(rng.randint(0, 3)):
        kind, level = rng.random(), rng.uniform(-0.8, 0.8)
        if kind < 0.4:
            cv2.line(
                field,
                (rng.randint(0, columns), 0),
                (rng.randint(0, columns), rows),
                level,
                rng.randint(1, max(2, rows // 8)),
            )
        elif kind < 0.7:
            edge = rng.choice((rng.randint(0, max(1, rows // 8)), rows - rng.randint(0, max(1, rows // 8))))
            field[:edge] += level if edge < rows / 2 else 0
            field[edge:] += level if edge > rows / 2 else 0
        else:
            edge = rng.choice((rng.randint(0, max(1, rows // 4)), columns - rng.randint(0, max(1, rows // 4))))
            field[:, :edge] += level if edge < columns / 2 else 0
            field[:, edge:] += level if edge > columns / 2 else 0
    if rng.random() < 0.15:
        period = rng.uniform(3, 12)
        waves = np.sin(np.arange(rows if rng.random() < 0.5 else columns) * 6.28 / period).astype(np.float32)
        field += rng.uniform(0.1, 0.4) * (waves[:, None] if len(waves) == rows and rows != columns else waves[None, :])
    return field


def paint_sign(coverage: Gray, rng: random.Random, noise: np.random.Generator) -> Gray:
    """Letters on a wall: weak or strong contrast, a shadow or a rim, uneven light, things at the edges."""
    contrast = rng.uniform(25, 90) if rng.random() < 0.4 else rng.uniform(80, 220)
    dark = rng.uniform(0, 255 - contrast)
    paper, ink = (dark, dark + contrast) if rng.random() < 0.5 else (dark + contrast, dark)
    share = coverage.astype(np.float32) * (1 / 255)
    image = paper + clutter(share.shape, rng, noise) * contrast * rng.uniform(0.1, 0.6)
    if rng.random() < 0.25:
        reach = max(1, round(coverage.shape[0] * rng.uniform(0.02, 0.07)))
        shadow = np.roll(share, (rng.choice((-reach, reach)), rng.choice((-reach, reach))), (0, 1))
        image = image * (1 - shadow) + shadow * (ink + rng.choice((-1, 1)) * contrast * rng.uniform(0.3, 0.9))
    if rng.random() < 0.12:
        rim = cv2.dilate(share, np.ones((3, 3), np.uint8), iterations=rng.randint(1, 2))
        image = image * (1 - rim) + rim * rng.uniform(0, 255)
    shade: Any = ink
    if rng.random() < 0.4:
        shade = ink + clouds(share.shape, noise, rng.choice((2, 4, 10))) * contrast * rng.uniform(0.1, 0.45)
    image = image * (1 - share) + shade * share
    return np.clip(image, 0, 255).astype(np.uint8)


def spoil(image: Gray, rng: random.Random, noise: np.random.Generator) -> Gray:
    """Blur, noise, thresholding, speckle, resampling and JPEG; a quarter of the lines stay as they are."""
    if rng.random() < 0.25:
        return image
    if rng.random() < 0.3:
        image = blur(image, rng)
    if rng.random() < 0.3:
        grain = noise.standard_normal(image.shape, dtype=np.float32) * rng.uniform(2, 22)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
    draw = rng.random()
    if draw < 0.11:
        image = bilevel(image, rng, noise)
    elif draw < 0.2:
        image = shrink(image, rng)
    if rng.random() < 0.03:
        image = cv2.medianBlur(image, 3)
    if rng.random() < 0.25:
        _, packed = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, rng.randint(15, 85)])
        image = np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE))
    return image


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
