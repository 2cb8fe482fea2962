"""Walls, boards and metal behind the letters of signs, and the light on them."""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.drawing.degrade import clouds
from models.training.drawing.letters import paint_letters

Gray = NDArray[Any]


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
    """Letters on a wall: (H, W) uint8 coverage -> (H, W) uint8 grey; weak or strong contrast, things at the edges."""
    draw = rng.random()
    contrast = rng.uniform(18, 40) if draw < 0.06 else rng.uniform(30, 90) if draw < 0.4 else rng.uniform(80, 220)
    dark = rng.uniform(0, 255 - contrast)
    paper, ink = (dark, dark + contrast) if rng.random() < 0.5 else (dark + contrast, dark)
    share = coverage.astype(np.float32) * (1 / 255)
    wall = paper + clutter(share.shape, rng, noise) * contrast * rng.uniform(0.05, 0.6)
    image = paint_letters(np.asarray(wall, np.float32), share, ink, contrast, rng=rng, noise=noise)
    return np.clip(image, 0, 255).astype(np.uint8)
