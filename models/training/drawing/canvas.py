"""The ink of one line before it is placed: glyphs on one baseline, a margin around, the middles of the characters."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.charset import unify
from models.training.drawing.fonts import EM_PIXELS, Glyph

Ink = NDArray[Any]  # uint8; see models.training.drawing.degrade
MARGIN = EM_PIXELS


@dataclasses.dataclass(frozen=True)
class Drawing:
    """Ink of one line on a canvas with `MARGIN` around.

    Attributes:
        ink: (H, W) uint8 coverage.
        text: what it says, in the charset's spelling.
        em: font size in pixels.
        centres: x of the middle of each character, canvas pixels, len(text) values.
        left, right, top, bottom: extent of the writing, canvas pixels.
    """

    ink: Ink
    text: str
    em: int
    centres: list[float]
    left: int
    right: int
    top: int
    bottom: int

    @property
    def height(self) -> int:
        """Of the writing, pixels."""
        return self.bottom - self.top


def compose(placed: list[tuple[str, Glyph, float]], em: int) -> Drawing | None:
    """Glyphs with their pens (pixels from any origin) -> their common ink; None when nothing is black."""
    drawn = [(glyph, round(pen) + glyph.left) for _, glyph, pen in placed if glyph.ink.size]
    if not drawn:
        return None
    above = max(em // 3, *(-glyph.top for glyph, _ in drawn))
    below = max(0, *(glyph.top + glyph.ink.shape[0] for glyph, _ in drawn))
    left = min(x for _, x in drawn)
    right = max(x + glyph.ink.shape[1] for glyph, x in drawn)
    shift = MARGIN - left
    baseline = MARGIN + above
    ink = np.zeros((baseline + below + MARGIN, right + shift + MARGIN), np.uint8)
    for glyph, x in drawn:
        rows, columns = glyph.ink.shape
        y = baseline + glyph.top
        view = ink[y : y + rows, x + shift : x + shift + columns]
        np.maximum(view, glyph.ink, out=view)
    text = unify("".join(character for character, _, _ in placed))
    centres = [middle(placed, index) + shift for index in range(len(placed))]
    return Drawing(ink, text, em, centres, MARGIN, right + shift, MARGIN, baseline + below)


def middle(placed: list[tuple[str, Glyph, float]], index: int) -> float:
    """x of the middle of a character's ink, or of the gap that it is."""
    _, glyph, pen = placed[index]
    if glyph.ink.size:
        return round(pen) + glyph.left + glyph.ink.shape[1] / 2
    return (pen + (placed[index + 1][2] if index + 1 < len(placed) else pen)) / 2
