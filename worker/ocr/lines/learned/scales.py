"""At which sizes a page is searched: a detector sees lines of 12 to 60 px, and pages hold smaller and larger ones.

Every page is searched once at its usual size, and at a quarter and an eighth of it for letters too large there. Small
print is searched again on a copy twice as large, and long pages in strips, so that they need not be made smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.ink.copies import MOST_PIXELS, Copies, resized
from worker.ocr.ink.ink import Gray
from worker.ocr.lines.text_line import distance

Box = NDArray[np.float32]  # (4, 2) px, clockwise from the line's top-left
Search = Callable[[Gray], list[Box]]  # the boxes on an image, px of that image

SMALL_SIDE = 900  # px; a page with no longer side is searched on a copy of up to double size
SMALL_PRINT = 8.5  # px of the searched copy; a page whose median line is lower is searched on a larger one
LARGER = 2.0  # how many times larger that is
MOST_LARGER_PIXELS = 3_000_000
LONG = 3.0  # long side to short side; longer pages are searched in strips
OVERLAP = 160  # px that neighbouring strips have in common
MOST_STRIP_PIXELS = 24_000_000  # a larger page is made smaller before it is cut into strips
LARGE = (
    (0.25, 48.0, 48.0),
    (0.125, 200.0, 100.0),
)  # on so small a copy of the searched one lines of so many px there are looked for; where nothing else is, of so many
TALL_INK = 0.45  # of a large line's height: its tallest piece of ink is no lower
WIDE_INK, FRAME_FILL = 2.0, 0.12  # of a large line's height, share of ink: wider and emptier pieces are frames
INITIAL = 0.5  # of a large line's height: several lines so low that reach out of it stand beside an initial
MOST_PARTS = 6  # of large letters that were found as lines
LOW = 0.2  # of a large line's height: what is lower is no part of its letters ...
MOST_APART = 1  # ... and where more of that stands beside them, they are the bars of a chart
AROUND = 0.3  # of a large line's height: what runs through its box and so far beyond, from side to side, is a rule
LEAST_CONTRAST = 24  # grey levels between the darkest and the lightest pixel of a large line
LEAST_SIDE = 32  # px; a copy with a shorter side shows nothing


@dataclass(frozen=True)
class Found:
    """What a search found. boxes: px of the page. scale: how many times as large the copy is that was searched."""

    boxes: list[Box]
    scale: float


def find_boxes(page: Copies, search: Search) -> Found:
    """Return the boxes of a page at all sizes, none of them twice."""
    long, short = max(page.gray.shape), min(page.gray.shape)
    if long >= LONG * short and long * short > MOST_PIXELS:
        found = _search_strips(page, search)
    else:
        found = _search_whole(page, search)
    for share, least, least_alone in LARGE:
        found = _with_large(found, page.image(found.scale), search, share, (least, least_alone))
    return found


def _search_whole(page: Copies, search: Search) -> Found:
    """Return the boxes at the usual size or, of small print, on a larger copy."""
    scale = min(2.0, (MOST_PIXELS / page.gray.size) ** 0.5) if max(page.gray.shape) < SMALL_SIDE else page.usual_scale
    found = _search_at(page, scale, search)
    if found.boxes and np.median([_height(box) for box in found.boxes]) * found.scale < SMALL_PRINT:
        larger = min(LARGER * found.scale, (MOST_LARGER_PIXELS / page.gray.size) ** 0.5)
        found = _search_at(page, larger, search) if larger > 1.2 * found.scale else found
    return found


def _search_at(page: Copies, scale: float, search: Search) -> Found:
    return Found([box / np.float32(scale) for box in search(page.image(scale))], scale)


def _search_strips(page: Copies, search: Search) -> Found:
    scale = min(1.0, (MOST_STRIP_PIXELS / page.gray.size) ** 0.5)
    work = page.image(scale)
    axis = int(work.shape[1] > work.shape[0])  # along which the strips follow each other
    boxes: list[Box] = []
    for start, end in _strips(work.shape[axis], MOST_PIXELS // work.shape[1 - axis]):
        strip = work[start:end] if axis == 0 else work[:, start:end]
        offset = np.array([0, start] if axis == 0 else [start, 0], np.float32)
        for box in search(np.ascontiguousarray(strip)):
            if _is_whole(box[:, 1 - axis], end - start, first=start == 0, last=end == work.shape[axis]):
                boxes.append((box + offset) / np.float32(scale))
    return Found(_once(boxes), scale)


def _strips(length: int, size: int) -> Iterator[tuple[int, int]]:
    start = 0
    while start + size < length:
        yield start, start + size
        start += size - OVERLAP
    yield start, length


def _is_whole(places: NDArray[np.float32], length: int, *, first: bool, last: bool) -> bool:
    """Tell whether a box that lies at some places along the strips is not cut by the end of its strip."""
    return bool((first or places.min() > 2) and (last or places.max() < length - 2))


def _once(boxes: Sequence[Box]) -> list[Box]:
    """Return the boxes without those that lie mostly within another, which was seen whole in the next strip."""
    kept: list[Box] = []
    for box in sorted(boxes, key=lambda box: -_height(box) * _width(box)):
        if not any(_share(box, other) > 0.5 for other in kept):
            kept.append(box)
    return kept


def _with_large(found: Found, work: Gray, search: Search, share: float, least: tuple[float, float]) -> Found:
    """Return the boxes, those of large lines on a smaller copy instead of what was found in them.

    Args:
        found: On the searched copy.
        work: That copy.
        search: Finds boxes on an image.
        share: How many times as large as that the smaller copy is.
        least: px of the searched copy; lower lines are not taken, or, the second, not where nothing was found.
    """
    if min(work.shape) * share < LEAST_SIDE:
        return found
    small = resized(work, share)
    factor = np.float32(share * found.scale)
    boxes = found.boxes
    for seen in search(small):
        tall = _tall_ink(small, seen) if _height(seen) >= min(least) * share else None
        if tall is None or not tall.any():
            continue
        large = seen / factor
        if _height(large) * found.scale < least[0] and any(_share(box, large) > 0 for box in boxes):
            continue
        beside = [box for box in boxes if 0.1 < _share(box, large) <= 0.5 and _height(box) <= INITIAL * _height(large)]
        if len(beside) > 1:
            large = _only_tall(seen, tall) / factor
        within = [i for i, box in enumerate(boxes) if _share(box, large) > 0.5]
        parts = [boxes[i] for i in within]
        low = [part * factor for part in parts if _height(part) <= LOW * _height(large)]
        if _is_better(large, parts) and sum(_is_apart(part, tall) for part in low) <= MOST_APART:
            boxes = [*(box for i, box in enumerate(boxes) if i not in within), large]
    return Found(boxes, found.scale)


def _tall_ink(image: Gray, box: Box) -> NDArray[np.bool_]:
    """Return where on an image, (H, W), pieces of ink in a box are as tall as a character of a line of its height."""
    found = np.zeros(image.shape, np.bool_)
    margin = AROUND * _height(box)
    left, top = np.maximum(box.min(0) - margin, 0).astype(int)
    right, bottom = (box.max(0) + margin).astype(int) + 1
    inner = image[top:bottom, left:right]
    if inner.size == 0 or np.ptp(inner) < LEAST_CONTRAST:
        return found
    level, _ = cv2.threshold(inner, 0, 255, cv2.THRESH_OTSU)
    ink = inner <= level
    ink = ink if np.count_nonzero(ink) < 0.5 * ink.size else ~ink
    _, labels, pieces, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    _, _, wide, tall, area = pieces.T
    is_frame = (wide > WIDE_INK * _height(box)) & (area < FRAME_FILL * wide * tall)
    is_frame |= (wide == inner.shape[1]) | (tall == inner.shape[0])
    is_tall = (tall >= TALL_INK * _height(box)) & ~is_frame
    is_tall[0] = False  # the ground
    found[top:bottom, left:right] = is_tall[labels]
    return found


def _only_tall(box: Box, tall: NDArray[np.bool_]) -> Box:
    """Return as much of a large line, from left to right, as its tall ink takes: an initial beside several lines."""
    columns = np.flatnonzero(tall.any(axis=0))
    left, right = max(float(box[:, 0].min()), columns[0]), min(float(box[:, 0].max()), columns[-1] + 1.0)
    if left >= right:
        return box
    along = (box[1] - box[0]) / max(1e-6, float(box[1, 0] - box[0, 0]))  # px for each px to the right
    start, end = (left - box[0, 0]) * along, (right - box[1, 0]) * along
    return np.array([box[0] + start, box[1] + end, box[2] + end, box[3] + start], np.float32)


def _is_apart(part: Box, tall: NDArray[np.bool_]) -> bool:
    """Tell whether no tall ink runs through the middle of what was found in the place of a large line."""
    (left, top), (right, bottom) = part.min(0), part.max(0)
    quarter = (bottom - top) / 4
    rows = slice(max(0, int(top + quarter)), int(np.ceil(bottom - quarter)))
    return not tall[rows, max(0, int(left)) : int(np.ceil(right))].any()


def _is_better(large: Box, within: Sequence[Box]) -> bool:
    """Tell whether a large line is one, rather than what was found in its place."""
    wide = sum(_width(box) for box in within) / _width(large)
    tallest = max((_height(box) for box in within), default=0.0) / _height(large)
    if tallest >= 0.6:
        return wide < 0.8
    filled = sum(_width(box) * _height(box) for box in within) / (_width(large) * _height(large))
    are_parts = tallest >= 0.33 and filled < 0.5
    return len(within) <= MOST_PARTS and (wide < 0.6 or are_parts)  # not the rows of a table


def _height(box: Box) -> float:
    return distance(box[0], box[3])


def _width(box: Box) -> float:
    return distance(box[0], box[1])


def _share(box: Box, other: Box) -> float:
    """Return how much of the upright hull of a box lies within that of another, 0..1."""
    low, high = np.maximum(box.min(0), other.min(0)), np.minimum(box.max(0), other.max(0))
    return float(np.prod(np.clip(high - low, 0, None)) / max(float(np.prod(box.max(0) - box.min(0))), 1e-6))
