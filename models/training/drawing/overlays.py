"""What lies over and beside a line: rules, boxes, slices of neighbours, seals, watermarks.

Every function draws into the ink of a line, (H, W) uint8 coverage, in place.
"""

from __future__ import annotations

import random

import cv2
import numpy as np

from models.training.drawing.canvas import MARGIN, Drawing, Ink


def add_rules(ink: Ink, drawing: Drawing, rng: random.Random) -> None:
    """Underlines, table rules and boxes; many touch the writing or run through its feet."""
    height = drawing.height
    if rng.random() < 0.10:
        row = drawing.bottom + rng.randint(-height // 4, height // 5)
        add_row(ink, row, rng.choice((0, drawing.left)), rng)
    if rng.random() < 0.03:
        add_row(ink, drawing.top - rng.randint(-2, 8), 0, rng)
    if rng.random() < 0.05:
        sides = (drawing.left - rng.randint(1, 20), drawing.right + rng.randint(1, 20))
        for column in rng.sample(sides, rng.randint(1, 2)):
            end = column + rng.randint(-2, 2), ink.shape[0]
            cv2.line(ink, (column, 0), end, rng.randint(120, 255), rng.randint(1, 3))
    if rng.random() < 0.03:
        add_box(ink, drawing, rng)
    if rng.random() < 0.012:
        strike(ink, drawing, rng)


def strike(ink: Ink, drawing: Drawing, rng: random.Random) -> None:
    """A thin rule through all of the writing, as through a price that holds no longer."""
    row = drawing.bottom - round(drawing.height * rng.uniform(0.35, 0.6))
    cv2.line(ink, (drawing.left - 2, row), (drawing.right + 2, row), rng.randint(160, 255), rng.randint(1, 2))


def add_row(ink: Ink, row: int, left: int, rng: random.Random) -> None:
    """A rule across, even, dashed or dotted."""
    value, thick = rng.randint(120, 255), rng.randint(1, 3)
    draw = rng.random()
    if draw < 0.75:
        cv2.line(ink, (left, row), (ink.shape[1], row + rng.randint(-2, 2)), value, thick)
        return
    step = rng.randint(6, 16) if draw < 0.9 else rng.randint(3, 5)
    for column in range(left, ink.shape[1], step):
        cv2.line(ink, (column, row), (column + step // 2, row), value, thick)


def add_box(ink: Ink, drawing: Drawing, rng: random.Random) -> None:
    """A frame around the line, close to it; corners may be round."""
    near = rng.randint(2, 12)
    corners = (drawing.left - near, drawing.top - near), (drawing.right + near, drawing.bottom + near)
    cv2.rectangle(ink, *corners, rng.randint(120, 255), rng.randint(1, 3))


def add_neighbour(ink: Ink, drawing: Drawing, other: Drawing, rng: random.Random, gap: int) -> None:
    """Let the line above or below reach into the crop, `gap` pixels away, as in tightly set pages."""
    body = other.ink[other.top : other.bottom, other.left : other.right]
    reach = rng.randint(1, MARGIN)
    columns = min(body.shape[1], ink.shape[1])
    if rng.random() < 0.5:
        slice_ = body[-reach:, :columns]
        end = max(0, drawing.top - gap)
        take = min(slice_.shape[0], end)
        target = ink[end - take : end, :columns]
        np.maximum(target, slice_[slice_.shape[0] - take :], out=target)
    else:
        slice_ = body[:reach, :columns]
        start = min(ink.shape[0], drawing.bottom + gap)
        take = min(slice_.shape[0], ink.shape[0] - start)
        target = ink[start : start + take, :columns]
        np.maximum(target, slice_[:take], out=target)


def add_seal(ink: Ink, drawing: Drawing, rng: random.Random) -> None:
    """The ring of a stamp, with its star and strokes, half as dark as the writing or less."""
    value = rng.randint(40, 130)
    radius = round(drawing.height * rng.uniform(0.8, 2.5))
    middle = rng.randint(drawing.left, drawing.right), round(drawing.top + drawing.height * rng.uniform(-0.8, 1.8))
    seal = np.zeros_like(ink)
    axes = radius, radius if rng.random() < 0.7 else round(radius * 0.65)
    cv2.ellipse(seal, middle, axes, 0, 0, 360, value, rng.randint(2, 5), cv2.LINE_AA)
    turns = np.arange(10) * np.pi / 5
    spread = np.where(np.arange(10) % 2, 0.15, 0.4) * radius
    star = np.stack([np.sin(turns) * spread + middle[0], -np.cos(turns) * spread + middle[1]], 1)
    cv2.fillPoly(seal, [np.round(star).astype(np.int32)], value, cv2.LINE_AA)
    for turn in np.arange(0, 2 * np.pi, rng.uniform(0.3, 0.6)):
        spot = round(middle[0] + np.cos(turn) * radius * 0.75), round(middle[1] + np.sin(turn) * radius * 0.75)
        reach = max(2, radius // 9)
        cv2.line(seal, (spot[0] - reach, spot[1] + rng.randint(-reach, reach)), (spot[0] + reach, spot[1]), value, 2)
        cv2.line(seal, (spot[0], spot[1] - reach), (spot[0] + rng.randint(-reach, reach), spot[1] + reach), value, 2)
    np.maximum(ink, seal, out=ink)


def add_watermark(ink: Ink, other: Drawing, rng: random.Random) -> None:
    """Another line, large, slanted and pale, across this one."""
    body = other.ink[other.top : other.bottom, other.left : other.right]
    rows, columns = ink.shape
    scale, angle = rng.uniform(1.0, 2.5), rng.uniform(-35, 35)
    turn = cv2.getRotationMatrix2D((body.shape[1] / 2, body.shape[0] / 2), angle, scale)
    turn[:, 2] += rng.uniform(0, columns) - body.shape[1] / 2, rows / 2 - body.shape[0] / 2
    pale = cv2.warpAffine(body, turn, (columns, rows), flags=cv2.INTER_LINEAR)
    np.maximum(ink, (pale * rng.uniform(0.1, 0.4)).astype(np.uint8), out=ink)


def decorate(drawing: Drawing, ink: Ink, other: Drawing | None, rng: random.Random) -> None:
    """Rules, neighbours, seals and watermarks, each now and then; `other` is any other line."""
    add_rules(ink, drawing, rng)
    if rng.random() < 0.025:
        add_seal(ink, drawing, rng)
    if other is None:
        return
    if rng.random() < 0.02:
        add_watermark(ink, other, rng)
    if rng.random() < 0.2:
        add_neighbour(ink, drawing, other, rng, rng.randint(2, 10))
    if rng.random() < 0.1:
        add_neighbour(ink, drawing, other, rng, rng.randint(1, 6))
