"""Digits of meters, scales, clocks and panels: seven segments, and letters of round or square dots."""

from __future__ import annotations

import random

import cv2
import numpy as np

from models.training.drawing.canvas import MARGIN, Drawing, Ink, compose
from models.training.drawing.fonts import EM_PIXELS, Glyph

SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd", "6": "afgedc", "7": "abc",
    "8": "abcdefg", "9": "abcdfg", "-": "g", "A": "abcefg", "C": "adef", "E": "adefg", "F": "aefg", "H": "bcefg",
    "L": "def", "P": "abefg", "U": "bcdef", " ": "",
}  # fmt: skip
"""The bars that are lit: a on top, b and c to the right, d at the bottom, e and f to the left, g in the middle."""


def reading(rng: random.Random) -> str:
    """What a meter, a scale, a clock or a till shows."""
    digits = "".join(rng.choices("0123456789", k=rng.randint(1, 7)))
    form = rng.randint(0, 7)
    if form == 0:
        return f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}{rng.choice(('', f':{rng.randint(0, 59):02d}'))}"
    if form <= 3:
        return f"{rng.choice(('', '', '-'))}{digits}.{rng.randint(0, 99)}"
    if form == 4:
        return digits.zfill(rng.randint(4, 8))
    if form == 5:
        return f"{rng.choice('EFHPCLA')}{digits[:3]}"
    if form == 6:
        return f"{digits[:3]}-{digits[-3:]}"
    return digits


def bars(width: int, height: int, thick: int, gap: float) -> dict[str, Ink]:
    """Corners of each bar of a digit of this size in pixels, (6, 2) float32: hexagons that leave gaps between them."""
    half, low = thick / 2, height / 2
    x0, x1, y0, y2 = half, width - half, half, height - half

    def across(y: float) -> Ink:
        a, b = x0 + gap, x1 - gap
        return np.array(
            [[a, y], [a + half, y - half], [b - half, y - half], [b, y], [b - half, y + half], [a + half, y + half]],
            np.float32,
        )

    def down(x: float, top: float, bottom: float) -> Ink:
        a, b = top + gap, bottom - gap
        return np.array(
            [[x, a], [x + half, a + half], [x + half, b - half], [x, b], [x - half, b - half], [x - half, a + half]],
            np.float32,
        )

    return {
        "a": across(y0), "g": across(low), "d": across(y2),
        "f": down(x0, y0, low), "b": down(x1, y0, low), "e": down(x0, low, y2), "c": down(x1, low, y2),
    }  # fmt: skip


def seven_segments(text: str, rng: random.Random) -> Drawing | None:
    """`text` of `SEGMENTS`, `.` and `:` as bars; unlit bars may shine through.

    None: nothing is lit.
    """
    height, width = EM_PIXELS, rng.randint(18, 27)
    thick, gap, slant = rng.randint(3, 8), rng.uniform(0, 1.5), rng.choice((0.0, 0.0, rng.uniform(0.05, 0.18)))
    ghost = rng.randint(15, 60) if rng.random() < 0.2 else 0
    pitch = width + rng.randint(4, 14)
    shapes = bars(width, height, thick, gap)
    placed: list[tuple[str, Glyph, float]] = []
    pen = 0.0
    for character in text:
        ink = np.zeros((height + 2, width + 12), np.uint8)
        if character in ".:":
            rows = (height - thick,) if character == "." else (height // 3, height * 2 // 3)
            for row in rows:
                cv2.rectangle(
                    ink, (1, row - (thick // 2 if character == ":" else 0)), (thick, row + thick - 1), 255, -1
                )
            ink = ink[:, : thick + 2]
        else:
            lit = SEGMENTS[character]
            for name, corners in shapes.items():
                leaned = corners + np.stack([(height - corners[:, 1]) * slant, np.zeros(6, np.float32)], 1)
                cv2.fillConvexPoly(ink, np.round(leaned).astype(np.int32), 255 if name in lit else ghost, cv2.LINE_AA)
        placed.append((character, Glyph(ink, 0, -height, 0.0), pen))
        pen += pitch if character not in ".:" else thick + rng.randint(2, 5)
    return compose(placed, EM_PIXELS) if any(glyph.ink.max() == 255 for _, glyph, _ in placed) else None


def dot_matrix(drawing: Drawing, rng: random.Random) -> Drawing:
    """A line drawn for a few pixels, each of which becomes a lamp or a needle's dot; its em becomes the large one."""
    pitch = max(2, round(EM_PIXELS / drawing.em))
    lamps = (drawing.ink[drawing.top : drawing.bottom, drawing.left : drawing.right] > 110).astype(np.uint8) * 255
    dot = np.zeros((pitch * 4, pitch * 4), np.uint8)
    if rng.random() < 0.75:
        cv2.circle(dot, (pitch * 2, pitch * 2), round(pitch * 2 * rng.uniform(0.72, 1.1)), 255, -1)
    else:
        dot[: round(pitch * 4 * rng.uniform(0.75, 1.0)), : round(pitch * 4 * rng.uniform(0.75, 1.0))] = 255
    dot = np.asarray(cv2.resize(dot, (pitch, pitch), interpolation=cv2.INTER_AREA), np.uint8)
    body = np.kron(lamps > 0, dot).astype(np.uint8)
    ink = np.pad(body, MARGIN)
    centres = [(centre - drawing.left) * pitch + MARGIN for centre in drawing.centres]
    right, bottom = MARGIN + body.shape[1], MARGIN + body.shape[0]
    return Drawing(ink, drawing.text, EM_PIXELS, centres, MARGIN, right, MARGIN, bottom)
