"""Letters of signs and posters: heavy, hollow, shadowed, raised, rimmed, striped; and lines along an arc."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.drawing.canvas import Drawing, Ink
from models.training.drawing.degrade import clouds

Gray = NDArray[Any]  # float32


def embolden(ink: Ink, rng: random.Random) -> Ink:
    """Heavy letters, or hollow ones, or as they are."""
    draw = rng.random()
    if draw < 0.40:
        size = rng.randint(2, 5)
        return np.asarray(cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))), np.uint8)
    if draw < 0.50:
        size = rng.randint(2, 4)
        return np.asarray(cv2.morphologyEx(ink, cv2.MORPH_GRADIENT, np.ones((size, size), np.uint8)), np.uint8)
    if draw < 0.55:
        return np.asarray(cv2.erode(ink, np.ones((2, 2), np.uint8)), np.uint8)
    return ink.copy()


def arch(drawing: Drawing, ink: Ink, rng: random.Random) -> Drawing:
    """The line along an arc, up or down: columns shift along a parabola, on a canvas that is as much higher."""
    width = drawing.right - drawing.left
    depth = min(rng.uniform(0.15, 0.9) * drawing.height, 0.22 * width)
    extra = int(np.ceil(depth))
    place = (np.arange(ink.shape[1]) - (drawing.left + drawing.right) / 2) / max(1, width / 2)
    shift = np.clip(place, -1, 1) ** 2 * depth
    if rng.random() < 0.5:
        shift = depth - shift
    higher = np.pad(ink, ((0, extra), (0, 0)))
    xs, ys = np.meshgrid(np.arange(ink.shape[1], dtype=np.float32), np.arange(higher.shape[0], dtype=np.float32))
    bent = np.asarray(cv2.remap(higher, xs, ys - shift.astype(np.float32), cv2.INTER_LINEAR), np.uint8)
    return dataclasses.replace(drawing, ink=bent, bottom=drawing.bottom + extra)


def shifted(share: Gray, right: int, down: int) -> Gray:
    """(H, W) moved by whole pixels; what comes in is 0."""
    moved = np.zeros_like(share)
    rows, columns = share.shape
    moved[max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)] = share[
        max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)
    ]
    return moved


def cast_shadow(image: Gray, share: Gray, level: float, rng: random.Random, solid: bool) -> Gray:
    """A copy of the letters to one side: soft, or joined to them as the flanks of solid letters are."""
    reach = max(1, round(share.shape[0] * rng.uniform(0.03, 0.1)))
    right, down = rng.choice((-1, 1)), rng.choice((-1, 1, 1))
    steps = range(1, reach + 1) if solid else (reach,)
    shadow = np.zeros_like(share)
    for step in steps:
        np.maximum(shadow, shifted(share, right * step, down * step), out=shadow)
    if not solid and rng.random() < 0.6:
        shadow = cv2.GaussianBlur(shadow, (0, 0), rng.uniform(0.5, 1.5))
    return image * (1 - shadow) + shadow * level


def relief(image: Gray, share: Gray, contrast: float, rng: random.Random) -> Gray:
    """Letters in the colour of the ground, seen by the light and the shade on their edges alone."""
    soft = cv2.GaussianBlur(share, (0, 0), rng.uniform(0.4, 1.0))
    reach = rng.choice((1, 1, 2))
    light = shifted(soft, reach, reach) - shifted(soft, -reach, -reach)
    return (
        image + light * contrast * rng.choice((-1, 1)) * rng.uniform(0.6, 1.0) + share * contrast * rng.uniform(0, 0.3)
    )


def fill(share: Gray, ink: float, contrast: float, rng: random.Random, noise: np.random.Generator) -> Any:
    """Grey of the letters' faces: even, cloudy, from light to dark, striped."""
    draw = rng.random()
    if draw < 0.3:
        return ink + clouds(share.shape, noise, rng.choice((2, 4, 10))) * contrast * rng.uniform(0.1, 0.45)
    if draw < 0.42:
        ramp = np.linspace(-1, 1, share.shape[0], dtype=np.float32)[:, None]
        return ink + ramp * contrast * rng.uniform(-0.35, 0.35)
    if draw < 0.46:
        stripes = np.sin(np.arange(share.shape[0], dtype=np.float32) * rng.uniform(0.6, 2.0))[:, None]
        return ink + stripes * contrast * rng.uniform(0.1, 0.3)
    return ink


def paint_letters(
    image: Gray, share: Gray, ink: float, contrast: float, *, rng: random.Random, noise: np.random.Generator
) -> Gray:
    """Put letters on a wall.

    Args:
        image: (H, W) float32 grey of the wall.
        share: (H, W) float32 0..1, how much of each pixel is letter.
        ink: their grey; `contrast` is its distance from the wall's.
    """
    draw = rng.random()
    if draw < 0.04:
        return relief(image, share, contrast, rng)
    if draw < 0.28:
        level = ink + rng.choice((-1, 1)) * contrast * rng.uniform(0.3, 0.9)
        image = cast_shadow(image, share, level, rng, solid=rng.random() < 0.45)
    elif draw < 0.33:
        glow = cv2.GaussianBlur(cv2.dilate(share, np.ones((3, 3), np.uint8)), (0, 0), share.shape[0] * 0.06 + 0.5)
        image = image + (ink - image) * glow * rng.uniform(0.3, 0.7)
    if rng.random() < 0.16:
        rim = cv2.dilate(share, np.ones((3, 3), np.uint8), iterations=rng.randint(1, 2))
        image = image * (1 - rim) + rim * rng.uniform(0, 255)
    return image * (1 - share) + fill(share, ink, contrast, rng, noise) * share


def room_for_arch(drawing: Drawing) -> bool:
    """Whether a line is long enough, and not too long, to be set along an arc."""
    return 2 * drawing.height < drawing.right - drawing.left < 14 * drawing.height and len(drawing.text) > 2
