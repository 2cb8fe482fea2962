"""Bring home what is too small to be a line by itself: strokes, dots and dashes of the characters beside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes
from worker.ocr.lines.classical.fragments import height_of, hulls_of

INSIDE = 0.6  # of the area of a fragment that is taken up by a larger one ...
LARGEST_HOST = 3.0  # ... which is at most so many times taller: a drawn circle does not take up what it surrounds
STROKE_HEIGHT = 0.5  # of the page's usual height: what is lower and alone is looked at as a stroke
STROKE_ASPECT = 1.5  # width to height
BESIDE = 0.5  # of the height of a fragment: small pieces as near as this belong to it


def absorb(fragments: list[Boxes], shape: tuple[int, int]) -> list[Boxes]:
    """Join fragments that lie mostly inside a larger one of one row: strokes and marks of its characters.

    Hulls are painted into a map of indices, large ones first; whom a fragment lies in is read at a grid of points.
    """
    hulls = hulls_of(fragments)
    tall = hulls[:, 3] - hulls[:, 1]
    area = tall * (hulls[:, 2] - hulls[:, 0])
    canvas = np.full(shape, -1, np.int32)
    parts: dict[int, list[int]] = {}
    for i in np.argsort(-area, kind="stable").tolist():
        left, top, right, bottom = hulls[i].tolist()
        under = canvas[top : bottom : max(1, (bottom - top) // 4), left : right : max(1, (right - left) // 4)]
        host, share = _commonest(under)
        if host >= 0 and share >= INSIDE and tall[host] <= LARGEST_HOST * tall[i]:
            parts[host].append(i)
        else:
            canvas[top:bottom, left:right] = i
            parts[i] = [i]
    return [np.concatenate([fragments[i] for i in part]) for part in parts.values()]


def _commonest(values: NDArray[np.int32]) -> tuple[int, float]:
    """Return the value that occurs most often, and its share."""
    ordered = values.ravel().tolist()
    value = max(set(ordered), key=ordered.count)
    return value, ordered.count(value) / len(ordered)


def attach(fragments: list[Boxes], rest: Boxes) -> list[Boxes]:
    """Add small pieces (dots, dashes, commas, flat strokes) to the fragment that they stand in or beside."""
    result = [[f] for f in fragments]
    for i, home in enumerate(_homes(fragments, rest)):
        if home >= 0:
            result[home].append(rest[i : i + 1])
    return [np.concatenate(parts) for parts in result]


def attach_strokes(fragments: list[Boxes], usual: float) -> list[Boxes]:
    """Add single low fragments to the one that they stand in or beside: strokes of 二 or 三, dashes, final commas."""
    is_stroke = [len(f) == 1 and _is_stroke(f[0], usual) for f in fragments]
    others = [f for f, stroke in zip(fragments, is_stroke, strict=True) if not stroke]
    strokes = [f for f, stroke in zip(fragments, is_stroke, strict=True) if stroke]
    if not others or not strokes:
        return fragments
    rest = np.concatenate(strokes)
    homes = _homes(others, rest)
    return attach(others, rest[homes >= 0]) + [f for f, home in zip(strokes, homes, strict=True) if home < 0]


def _is_stroke(piece: NDArray[np.int32], usual: float) -> bool:
    left, top, right, bottom = piece.tolist()
    is_flat = right - left >= STROKE_ASPECT * (bottom - top)
    is_mark = right - left < STROKE_HEIGHT * usual
    return bool(bottom - top < STROKE_HEIGHT * usual and (is_flat or is_mark))


def _homes(fragments: list[Boxes], rest: Boxes) -> NDArray[np.intp]:
    """Return for each small piece the index of the fragment it belongs to, -1 for none."""
    hulls = hulls_of(fragments).astype(np.float64)
    heights = np.array([height_of(f) for f in fragments])
    middles = (hulls[:, 1] + hulls[:, 3]) / 2
    reach = (hulls[:, 3] - hulls[:, 1]) / 2 + 0.2 * heights
    homes = np.full(len(rest), -1, np.intp)
    for i, (left, top, right, bottom) in enumerate(rest.tolist()):
        gap = np.maximum(left - hulls[:, 2], hulls[:, 0] - right)
        off = np.abs((top + bottom) / 2 - middles)
        fits = (gap <= BESIDE * heights) & (off <= reach)
        fits &= (right - left <= 2.5 * heights) & (bottom - top <= heights)
        if fits.any():
            homes[i] = np.where(fits, off, np.inf).argmin()
    return homes
