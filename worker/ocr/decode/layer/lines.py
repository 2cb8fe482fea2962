"""Lines of a text layer, in the order of the layer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from worker.ocr.decode.layer.glyphs import Glyph, Points

GAP = 1.5  # heights; a wider gap parts a line, as it does for those that are found on images


@dataclass(frozen=True)
class LayerLine:
    """A line of the layer.

    polygon: (4, 2) px, clockwise from its top-left. spans: characters, shares of its width. font: of the first one.
    """

    text: str
    polygon: Points
    spans: tuple[tuple[float, float], ...]
    font: int = 0


def to_lines(glyphs: Sequence[Glyph | None]) -> list[LayerLine]:
    """Return the lines of a layer in its own order, without those that are empty."""
    return [line for run in _runs(glyphs) if (line := _line(run)) is not None]


def _runs(glyphs: Sequence[Glyph | None]) -> Iterator[list[Glyph]]:
    """Yield the glyphs of each line: they end where the layer says so, and at wide gaps."""
    run: list[Glyph] = []
    for glyph in (*glyphs, None):
        if glyph is not None and run and not glyph.text.isspace():
            last = next((one for one in reversed(run) if not one.text.isspace()), None)
            if last is not None and _gap(last, glyph) > GAP * max(_height(last), _height(glyph)):
                yield run
                run = []
        if glyph is None:
            if run:
                yield run
            run = []
        else:
            run.append(glyph)


def _height(glyph: Glyph) -> float:
    return min(glyph.bottom - glyph.top, 4 * max(glyph.right - glyph.left, 1.0))


def _gap(a: Glyph, b: Glyph) -> float:
    return max(b.left - a.right, a.left - b.right, b.top - a.bottom, a.top - b.bottom, 0.0)


def _line(run: Sequence[Glyph]) -> LayerLine | None:
    glyphs = [glyph for glyph in run if not glyph.is_broken]
    while glyphs and glyphs[0].text.isspace():
        glyphs = glyphs[1:]
    while glyphs and glyphs[-1].text.isspace():
        glyphs = glyphs[:-1]
    glyphs = [a for a, b in pairwise([*glyphs, None]) if a and not (a.text.isspace() and b and b.text.isspace())]
    if not glyphs:
        return None
    along = _direction(glyphs)
    across = np.array([-along[1], along[0]])
    drawn = [glyph for glyph in glyphs if not glyph.text.isspace()]
    ends = np.array([[[g.left, g.top], [g.right, g.top], [g.right, g.bottom], [g.left, g.bottom]] for g in drawn])
    u, v = ends @ along, ends @ across
    u0, u1, v0, v1 = u.min(), max(u.max(), u.min() + 1), v.min(), max(v.max(), v.min() + 1)
    polygon = np.array(
        [u0 * along + v0 * across, u1 * along + v0 * across, u1 * along + v1 * across, u0 * along + v1 * across]
    )
    places = iter(zip((u.min(axis=1) - u0) / (u1 - u0), (u.max(axis=1) - u0) / (u1 - u0), strict=True))
    spans: list[tuple[float, float]] = []
    for glyph in glyphs:
        start, end = (spans[-1][1],) * 2 if glyph.text.isspace() else next(places)
        spans.append((float(np.clip(start, 0, 1)), float(np.clip(end, 0, 1))))
    return LayerLine("".join(" " if g.text.isspace() else g.text for g in glyphs), polygon, tuple(spans), drawn[0].font)


def _direction(glyphs: Sequence[Glyph]) -> Points:
    """Return where a line runs, of length 1: to the right, unless its ends say otherwise."""
    first, last = glyphs[0], glyphs[-1]
    way = np.array(
        [last.left + last.right - first.left - first.right, last.top + last.bottom - first.top - first.bottom]
    )
    length = float(np.hypot(*way))
    if len(glyphs) < 3 or length < 1 or abs(way[1]) < 0.05 * abs(way[0]):
        return np.array([1.0 if len(glyphs) < 3 or way[0] >= 0 else -1.0, 0.0])
    if abs(way[0]) < 0.05 * abs(way[1]):
        return np.array([0.0, 1.0 if way[1] > 0 else -1.0])
    return way / length
