"""What stands on pages and is no writing: textures, pictures, logos, bar codes, rules, shapes.

Every function draws into an image, (H, W) uint8, in place, or returns a new one.
"""

from __future__ import annotations

import random
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.drawing.degrade import clouds

Gray = NDArray[Any]


def texture(shape: tuple[int, int], rng: random.Random, noise: np.random.Generator) -> Gray:
    """A surface without writing: flat, clouds, grain, wood, bricks, stripes, weave, leaves; (H, W) uint8."""
    base, depth = rng.uniform(20, 235), rng.uniform(4, 70)
    kind = rng.randrange(9)
    field = clouds(shape, noise, rng.choice((3, 6, 12))) * depth * 0.5
    if kind == 1:
        field = field + noise.standard_normal(shape, dtype=np.float32) * rng.uniform(3, 30)
    elif kind == 2:  # wood: grain along one side
        small = noise.standard_normal((max(2, shape[0] // rng.randint(1, 6)), 4), dtype=np.float32)
        field = field + cv2.resize(small, shape[::-1], interpolation=cv2.INTER_CUBIC) * depth * 0.5
        if rng.random() < 0.5:
            field = np.ascontiguousarray(cv2.resize(np.ascontiguousarray(field.T), shape[::-1]))
    elif kind in (3, 4):
        field = field + bricks(shape, rng) * depth
    elif kind == 5:  # stripes and weave
        x = np.arange(shape[1], dtype=np.float32)[None, :] * rng.uniform(0.1, 2.0)
        y = np.arange(shape[0], dtype=np.float32)[:, None] * rng.uniform(0.1, 2.0)
        field = field + (np.sin(x) * rng.random() + np.sin(y) * rng.random()) * depth * 0.6
    elif kind in (6, 7):  # leaves, gravel, cloth: noise at several scales
        for cells in rng.sample((16, 30, 60, 110, 200), 3):
            coarse = noise.standard_normal((max(2, shape[0] * cells // 512), max(2, shape[1] * cells // 512)))
            field = field + cv2.resize(coarse.astype(np.float32), shape[::-1]) * depth * rng.uniform(0.1, 0.6)
    return np.clip(base + field, 0, 255).astype(np.uint8)


def bricks(shape: tuple[int, int], rng: random.Random) -> Gray:
    """Courses of bricks, tiles or planks: joints at -1, stones at 0..1; (H, W) float32."""
    tall, wide = rng.randint(10, 70), rng.randint(14, 160)
    field = np.zeros(shape, np.float32)
    joint, shift = rng.randint(1, 4), rng.choice((0.0, 0.5))
    for row, y in enumerate(range(-rng.randint(0, tall), shape[0], tall)):
        for x in range(-int(wide * shift * (row % 2)) - rng.randint(0, 1), shape[1], wide):
            cv2.rectangle(field, (x, y), (x + wide - joint, y + tall - joint), rng.uniform(0, 1), -1)
    return field - (field == 0)


def picture(image: Gray, box: tuple[int, int, int, int], rng: random.Random, noise: np.random.Generator) -> None:
    """Fill a box (left, top, right, bottom) with something like a photograph, drawing or chart."""
    left, top, right, bottom = (max(0, v) for v in box)
    view = image[top:bottom, left:right]
    if min(view.shape) < 8:
        return
    kind = rng.randrange(4)
    if kind < 2:
        view[:] = texture(view.shape, rng, noise)
        shapes(view, rng, rng.randint(1, 12))
    elif kind == 2:
        chart(view, rng)
    else:
        shapes(view, rng, rng.randint(3, 25), rng.random() < 0.5)
    if rng.random() < 0.4:
        cv2.rectangle(image, (left, top), (right - 1, bottom - 1), rng.randint(0, 120), rng.randint(1, 3))


def shapes(view: Gray, rng: random.Random, count: int, outlines: bool = False) -> None:
    """Ellipses, polygons, arcs and lines of any grey, anywhere."""
    rows, columns = view.shape
    for _ in range(count):
        colour = rng.randint(0, 255)
        thickness = rng.randint(1, 4) if outlines or rng.random() < 0.4 else -1
        reach = max(3, int(min(rows, columns) * rng.uniform(0.02, 0.5)))
        x, y = rng.randrange(columns), rng.randrange(rows)
        kind = rng.randrange(4)
        if kind == 0:
            axes = reach, max(2, int(reach * rng.uniform(0.2, 1)))
            cv2.ellipse(view, (x, y), axes, rng.uniform(0, 180), 0, rng.choice((360, 360, 180)), colour, thickness)
        elif kind == 1:
            points = [
                (x + rng.randint(-reach, reach), y + rng.randint(-reach, reach)) for _ in range(rng.randint(3, 6))
            ]
            if thickness < 0:
                cv2.fillPoly(view, [np.array(points, np.int32)], colour)
            else:
                cv2.polylines(view, [np.array(points, np.int32)], rng.random() < 0.7, colour, thickness)
        elif kind == 2:
            end = x + rng.randint(-2 * reach, 2 * reach), y + rng.randint(-2 * reach, 2 * reach)
            cv2.line(view, (x, y), end, colour, rng.randint(1, 5))
        else:
            cv2.rectangle(view, (x, y), (x + reach, y + rng.randint(2, reach)), colour, thickness)


def chart(view: Gray, rng: random.Random) -> None:
    """Axes with bars or a curve."""
    rows, columns = view.shape
    colour = rng.randint(0, 120)
    cv2.line(view, (2, rows - 3), (columns, rows - 3), colour, 1)
    cv2.line(view, (2, 0), (2, rows - 3), colour, 1)
    count = rng.randint(3, 20)
    step = max(3, columns // count)
    heights = [rng.randint(1, rows) for _ in range(count)]
    if rng.random() < 0.5:
        for i, tall in enumerate(heights):
            box = (4 + i * step, rows - tall), (4 + i * step + max(1, step * 2 // 3), rows - 3)
            cv2.rectangle(view, *box, rng.randint(30, 230), -1)
    else:
        points = [(4 + i * step, rows - tall) for i, tall in enumerate(heights)]
        cv2.polylines(view, [np.array(points, np.int32)], False, colour, rng.randint(1, 3))


def barcode(image: Gray, box: tuple[int, int, int, int], rng: random.Random, colour: int) -> None:
    """Fill a box (left, top, right, bottom) with bars of random widths."""
    x, top, right, bottom = box
    unit = rng.choice((1, 2, 2, 3))
    while x < right:
        bar = unit * rng.randint(1, 3)
        cv2.rectangle(image, (x, top), (x + bar - 1, bottom), colour, -1)
        x += bar + unit * rng.randint(1, 3)


def matrix_code(image: Gray, at: tuple[int, int], side: int, rng: random.Random, noise: np.random.Generator) -> None:
    """Squares like those of a QR code, from a top-left corner on."""
    left, top = at
    cells = rng.choice((17, 21, 25, 29))
    bits = (noise.random((cells, cells)) < 0.5).astype(np.uint8) * 255
    for y, x in ((0, 0), (0, cells - 7), (cells - 7, 0)):
        bits[y : y + 7, x : x + 7] = 0
        bits[y + 1 : y + 6, x + 1 : x + 6] = 255
        bits[y + 2 : y + 5, x + 2 : x + 5] = 0
    view = image[max(0, top) : top + side, max(0, left) : left + side]
    if view.size:
        view[:] = cv2.resize(bits, (side, side), interpolation=cv2.INTER_NEAREST)[: view.shape[0], : view.shape[1]]


def logo(image: Gray, at: tuple[int, int], size: int, rng: random.Random, colour: int) -> None:
    """A mark of a few shapes of one colour around a point."""
    x, y = at
    for _ in range(rng.randint(1, 4)):
        reach = max(2, int(size * rng.uniform(0.2, 0.5)))
        centre = x + rng.randint(-size // 4, size // 4), y + rng.randint(-size // 4, size // 4)
        thickness = rng.choice((-1, 1, 2, 3))
        if rng.random() < 0.5:
            cv2.circle(image, centre, reach, colour, thickness)
        else:
            points = [
                (centre[0] + rng.randint(-reach, reach), centre[1] + rng.randint(-reach, reach)) for _ in range(4)
            ]
            cv2.polylines(image, [np.array(points, np.int32)], True, colour, abs(thickness))


def rule(image: Gray, start: tuple[int, int], end: tuple[int, int], rng: random.Random, colour: int) -> None:
    """A straight line: solid, dashed, dotted or double."""
    kind = rng.randrange(6)
    if kind == 0:
        pieces = max(2, abs(end[0] - start[0] + end[1] - start[1]) // rng.randint(3, 12))
        points = np.linspace(start, end, pieces + 1)
        for a, b in zip(points[:-1:2].round().astype(int), points[1::2].round().astype(int), strict=False):
            cv2.line(image, a.tolist(), b.tolist(), colour, 1)
        return
    thickness = rng.choice((1, 1, 2, 3))
    cv2.line(image, start, end, colour, thickness)
    if kind == 1:
        off = rng.randint(2, 5)
        cv2.line(image, (start[0], start[1] + off), (end[0], end[1] + off), colour, 1)
