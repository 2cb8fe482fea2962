"""Make whole what was torn: large characters of which a line holds a part, and characters found as their strokes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.components import Boxes, Pieces
from worker.ocr.lines.classical import fragments
from worker.ocr.lines.learned.growing import owners
from worker.ocr.lines.text_line import TextLine, hulls_of

LARGE = 60  # px of the searched copy: letters so high are too large for a detector, which then finds their parts
TORN = (1.3, 2.2)  # of the line's height: a piece so high reaches out of its line, and is no frame
MOST_PIECES = 12  # in a line of a few large letters; more are rows of small ones that touch
TORN_SHARE = 0.25  # of the ink in a line: so much of it is in such pieces, or it is other rows that touch
TOUCHING = 0.3  # of a piece's height: so much of it lies in a line that tears it
WITHIN = 0.5  # of a line's box: what lies so far in a line that was made whole was a part of it
SLACK = 0.2  # of the height: the ink of a line stands out of its box by no more
NARROW = 1.8  # width to height: a wider line holds more than one character ...
MOST_STROKES, STROKE = 3, 0.6  # ... unless so few strokes of at least this share of its width are all that it holds
SQUARE = 1.25  # height to width: strokes that reach further are two characters above each other
HALVES = 1.1, 0.12  # height, and gap, to width: two lines that are no further apart are halves of one character
STROKE_GAP = 0.7  # of the width: strokes above each other are no further apart, as those of 二 ...
PART_GAP = 0.25  # ... and other parts of a character are nearer, as those of 是
WIDER = 1.7  # of a part's longer side: no character is so much wider, but frames are
HANZI = 0.95  # height to width of a hanzi
LEAST_PART = 0.4  # of the width: narrower parts are dots, or specks
FLAT = 0.35  # height to width of a stroke
ABOVE = 0.6  # of the narrower one's width: so much of it lies above the other

Hull = NDArray[np.floating[Any]]  # (4,) px: left, top, right, bottom


def mend_torn(lines: Sequence[TextLine], pieces: Pieces) -> list[TextLine]:
    """Return the lines, those that tear their characters as high as these; what they then hold is dropped."""
    mended = [_mended(line, pieces) for line in lines]
    grown = np.array([new is not old for old, new in zip(lines, mended, strict=True)], np.bool_)
    if not grown.any():
        return list(lines)
    drop = np.asarray((_lie_within(mended) & grown[None]).any(axis=1), np.bool_)
    return _without_copies([line for line, dropped in zip(mended, drop, strict=True) if not dropped])


def _mended(line: TextLine, pieces: Pieces) -> TextLine:
    left, top, right, bottom = line.hull.tolist()
    tall = bottom - top
    boxes = pieces.boxes
    over = np.minimum(boxes[:, 3], bottom) - np.maximum(boxes[:, 1], top)
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    own = (middles > left) & (middles < right) & (over >= TOUCHING * pieces.heights)
    torn = own & (pieces.heights >= max(LARGE, TORN[0] * tall)) & (pieces.heights <= TORN[1] * tall)
    if np.count_nonzero(own) > MOST_PIECES or pieces.areas[torn].sum() <= TORN_SHARE * pieces.areas[own].sum():
        return line
    reach = fragments.hull_of(boxes[torn])
    inside = (boxes[:, 1] >= reach[1] - 1) & (boxes[:, 3] <= reach[3] + 1)
    near = (boxes[:, 2] > left - tall) & (boxes[:, 0] < right + tall)
    return TextLine.boxed(fragments.hull_of(boxes[(inside & near) | torn]), in_doubt=line.in_doubt)


def _without_copies(lines: Sequence[TextLine]) -> list[TextLine]:
    return list({line.polygon.tobytes(): line for line in lines}.values())


def stack_strokes(lines: Sequence[TextLine], pieces: Boxes) -> list[TextLine]:
    """Return the lines with the parts of a character that stand above each other as one. pieces: (N, 4) px of ink."""
    of = owners(pieces, lines)
    order = np.argsort(of, kind="stable")
    owned = np.split(pieces[order], np.searchsorted(of[order], np.arange(len(lines))))[1:]
    found = {i: part for i, own in enumerate(owned) if (part := _narrow_part(lines[i], own)) is not None}
    at, narrow = np.array(list(found), np.intp), [*found.values()]
    free_pieces = pieces[of < 0]
    parts = np.concatenate([np.array([part.hull for part in narrow]).reshape(-1, 4), free_pieces])
    flat = np.concatenate([np.array([part.is_flat for part in narrow], np.bool_), _is_flat(free_pieces)])
    result, free = list(lines), np.ones(len(parts), np.bool_)
    for k, part in enumerate(narrow):
        if not free[k]:
            continue
        usable = np.flatnonzero(free & _is_near(part.hull, parts))
        usable = np.array([j for j in usable if j != k and (j >= len(narrow) or _may_be_one(part, narrow[j]))], np.intp)
        whole, used = _stacked(part, parts[usable], flat[usable])
        joined = usable[used]
        if len(joined):
            free[joined] = False
            members = at[[k, *joined[joined < len(narrow)]]]
            result[at[k]] = TextLine.boxed(_squared(whole), in_doubt=all(lines[i].in_doubt for i in members))
    taken = set(at[~free[: len(narrow)]].tolist())
    kept = [i for i in range(len(lines)) if i not in taken]
    owns = np.array([len(owned[i]) > 0 for i in kept], np.bool_)
    is_made = np.array([result[i] is not lines[i] for i in kept], np.bool_)
    within = _lie_within([result[i] for i in kept])
    drop = np.asarray((within & (is_made[None] | (owns[None] & ~owns[:, None]))).any(axis=1), np.bool_)
    return [result[i] for i, dropped in zip(kept, drop, strict=True) if not dropped]


def _is_near(hull: Hull, parts: Hull) -> NDArray[np.bool_]:
    """Return which parts, (N, 4) px, lie above, below or in a part."""
    reach = 2 * max(hull[2] - hull[0], hull[3] - hull[1])
    beside = (parts[:, 0] < hull[2]) & (parts[:, 2] > hull[0])
    return np.asarray(beside & (parts[:, 1] < hull[3] + reach) & (parts[:, 3] > hull[1] - reach), np.bool_)


@dataclass(frozen=True)
class _Part:
    """A part of a character. hull: (4,) px, around its ink; is_flat: it is made of flat strokes alone."""

    hull: Hull
    is_flat: bool


def _narrow_part(line: TextLine, pieces: Boxes) -> _Part | None:
    """Return the ink of a line that may be a part of a character, None if it is none. pieces: whose middle it holds."""
    hull = line.hull
    tall = hull[3] - hull[1]
    wide = hull[2] - hull[0]
    if wide > NARROW * tall and not 0 < len(pieces) <= MOST_STROKES:
        return None
    low, high = hull - SLACK * tall, hull + SLACK * tall
    inside = pieces[((pieces[:, :2] >= low[:2]) & (pieces[:, 2:] <= high[2:])).all(axis=1)]
    flat = _is_flat(inside)
    are_strokes = len(inside) > 1 and bool((flat & (inside[:, 2] - inside[:, 0] >= STROKE * wide)).all())
    if not len(inside) or (wide > NARROW * tall and not are_strokes):
        return None
    return _Part(fragments.hull_of(inside).astype(np.float64), bool(flat.all()))


def _may_be_one(part: _Part, other: _Part) -> bool:
    """Tell whether what was found as two lines may be one character: its strokes, or its halves."""
    left, top, right, bottom = _around(part.hull, other.hull).tolist()
    wide, tall = right - left, bottom - top
    gap = tall - (part.hull[3] - part.hull[1]) - (other.hull[3] - other.hull[1])
    if part.is_flat and other.is_flat:
        return True
    return bool(gap <= HALVES[1] * wide and tall <= HALVES[0] * wide)


def _is_flat(pieces: Boxes) -> NDArray[np.bool_]:
    return np.asarray(pieces[:, 3] - pieces[:, 1] <= FLAT * (pieces[:, 2] - pieces[:, 0]), np.bool_)


def _stacked(first: _Part, parts: Hull, flat: NDArray[np.bool_]) -> tuple[Hull, list[int]]:
    """Return the box around a part and those, (N, 4) px, that complete it to a character, and which these are."""
    hull = first.hull
    used: list[int] = []
    reach = np.where(flat & first.is_flat, STROKE_GAP, PART_GAP)
    while len(parts) > len(used):
        fits, gap = _complete(hull, parts, reach)
        fits[used] = False
        if not fits.any():
            break
        used.append(int(np.where(fits, gap, np.inf).argmin()))
        hull = _around(hull, parts[used[-1]])
    return hull, used


def _complete(hull: Hull, parts: Hull, reach: Hull) -> tuple[NDArray[np.bool_], Hull]:
    """Return which parts, (N, 4) px, complete a hull to a character, and how far above or below it they are, (N,)."""
    whole = np.concatenate([np.minimum(parts[:, :2], hull[:2]), np.maximum(parts[:, 2:], hull[2:])], axis=1)
    width, height = whole[:, 2] - whole[:, 0], whole[:, 3] - whole[:, 1]
    wide = parts[:, 2] - parts[:, 0]
    common = np.minimum(parts[:, 2], hull[2]) - np.maximum(parts[:, 0], hull[0])
    gap = np.maximum(parts[:, 1] - hull[3], hull[1] - parts[:, 3])
    fits = (common >= ABOVE * np.minimum(wide, hull[2] - hull[0])) & (wide >= LEAST_PART * width)
    fits &= (height <= SQUARE * width) & (gap <= reach * width)
    fits &= width <= WIDER * max(hull[2] - hull[0], hull[3] - hull[1])
    return fits, gap


def _lie_within(lines: Sequence[TextLine]) -> NDArray[np.bool_]:
    """Return for each line and each other, (N, N), whether the one lies mostly within the other."""
    hulls = hulls_of(lines)
    low, high = (np.maximum(hulls[:, None, :2], hulls[None, :, :2]), np.minimum(hulls[:, None, 2:], hulls[None, :, 2:]))
    common = np.clip(high - low, 0, None).prod(axis=2)
    size = (hulls[:, 2:] - hulls[:, :2]).prod(axis=1)
    same = (hulls[:, None] == hulls[None]).all(axis=2)
    return np.asarray((common >= WITHIN * size[:, None]) & ~same, np.bool_)


def _around(hull: Hull, other: Hull) -> Hull:
    return np.concatenate([np.minimum(hull[:2], other[:2]), np.maximum(hull[2:], other[2:])])


def _squared(hull: Hull) -> Hull:
    """Return the box of a hanzi around its strokes: those of 二 leave some of it free above and below."""
    left, top, right, bottom = hull.tolist()
    free = max(0.0, HANZI * (right - left) - (bottom - top)) / 2
    return np.array([left, top - free, right, bottom + free])
