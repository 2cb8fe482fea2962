"""What is seen on a page and stands in no line of its text layer: writing in pictures, or drawn as shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.result import Line, Page
from worker.ocr.decode.layer.lines import LayerLine
from worker.ocr.ink.ink import Gray

MORE = 0.12  # of a line's height, taken away with it: letters reach over their boxes
LEAST_INK = 0.002  # share of a page's ink outside of its lines; less is no word
TOLD = frozenset({"text_may_be_missing"})
"""Warnings about what is beside the layer that hold for the page."""


def is_worth_reading(elsewhere: float, lines: Sequence[LayerLine]) -> bool:
    """Tell whether so much ink, a share of the page's, lies outside of its lines that it may be a word."""
    return elsewhere >= LEAST_INK or not lines


def without_lines(gray: Gray, lines: Sequence[LayerLine]) -> Gray:
    """Return the page, (H, W), with lines painted over in the colour of what surrounds each."""
    left = gray.copy()
    height, width = gray.shape
    for line in lines:
        along, down = (_unit(line.polygon[end] - line.polygon[0]) for end in (1, 3))
        more = MORE * float(np.linalg.norm(line.polygon[3] - line.polygon[0]))
        quad = line.polygon + more * np.array([-along - down, along - down, along + down, down - along])
        x0, y0 = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, (width - 1, height - 1))
        x1, y1 = np.clip(np.ceil(quad.max(axis=0)).astype(int), 0, (width - 1, height - 1))
        rim = np.concatenate(
            [gray[y0, x0 : x1 + 1], gray[y1, x0 : x1 + 1], gray[y0 : y1 + 1, x0], gray[y0 : y1 + 1, x1]]
        )
        cv2.fillConvexPoly(left, np.round(quad).astype(np.int32), int(np.median(rim)))
    return left


def merge(page: Page, seen: Page) -> Page:
    """Return a page of a text layer with the lines that were recognised beside it, and what was said of those.

    Where writing was found there, what it left unread says more than how much lies outside of the layer. Where none
    was, shapes that resemble letters are those of a drawing.
    """
    lines = list(page.lines)
    beside = [line for line in seen.lines if any(character.isalnum() for character in line.text)]
    for line in beside:
        lines.insert(_place(line, lines), replace(line, source="recognition"))
    kept = [reason for reason in page.warnings if not beside or reason.code not in TOLD]
    told = [reason for reason in seen.warnings if reason.code in TOLD and (beside or reason.measure == "unread_ink")]
    measures = ("unread_ink", "unreadable_lines", "half_read")
    unread = {name: seen.quality[name] for name in measures if name in seen.quality}
    return replace(page, lines=tuple(lines), warnings=(*kept, *told), quality=page.quality | unread)


def _place(line: Line, lines: Sequence[Line]) -> int:
    """Return where a line belongs in the order: behind the nearest one above it, else before the nearest one below."""
    left, top, right, bottom = _box(line)
    above, below = [], []
    for index, other in enumerate(lines):
        x0, y0, x1, y1 = _box(other)
        if min(right, x1) <= max(left, x0):
            continue
        if y0 + y1 <= top + bottom:
            above.append((top - y1, index + 1))
        else:
            below.append((y0 - bottom, index))
    return min(above)[1] if above else min(below)[1] if below else len(lines)


def _box(line: Line) -> tuple[float, float, float, float]:
    xs, ys = zip(*line.polygon, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _unit(way: NDArray[np.float64]) -> NDArray[np.float64]:
    return way / max(float(np.linalg.norm(way)), 1e-6)
