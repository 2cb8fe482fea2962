"""Part amounts from what stands beside them: on receipts and bills they are a column of their own.

The finder joins what stands as near as the words of a typewriter, and there the columns of a receipt do, too. What was
read tells them apart: an amount of money behind a gap that is wider than the others of its line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from worker.ocr.lines.text_line import TextLine, distance
from worker.ocr.page import crops
from worker.ocr.reading.found import Found
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading

AMOUNT = re.compile(r"[-(]?(?:RM|[$£€¥])?-?\d{1,3}(?:[.,]?\d{3})*[.,]\d\d[-)%A-Z]?")
LEAST_GAP = 0.6  # of the line's height, between the middles of the characters beside it, less one character
FEWEST_GAPS = 3  # others in the line tell how wide its word gaps are ...
WIDER = 1.2  # ... and the gap is so many times wider: an amount in a sentence stays in it


def part_amounts(found: Found, read: Sequence[Reading]) -> tuple[Found, list[Reading]]:
    """Return the lines of a page that was searched, those parted in which an amount stands apart."""
    if not found.arrangement.searched:
        return found, list(read)
    lines, images, parted = [], [], []
    for line, image, reading in zip(found.arrangement.lines, found.images, read, strict=True):
        parts = _parts(line, reading)
        lines += [one for one, _ in parts]
        parted += [one for _, one in parts]
        images += [image] * len(parts)
    if len(lines) == len(read):
        return found, list(read)
    return Found(replace(found.arrangement, lines=lines), images, found.quality), parted


def _parts(line: TextLine, reading: Reading) -> list[tuple[TextLine, Reading]]:
    """Return the parts of a line with what was read in each; the whole where there is nothing to part."""
    whole = [(line, reading)]
    words, raw = reading.text.split(" "), reading.raw_text.split(" ")
    is_amount = [AMOUNT.fullmatch(word) is not None for word in words]
    if len(words) < 2 or not any(is_amount) or line.cells is not None or reading.disputes or len(raw) != len(words):
        return whole
    spaces = [i for i, peak in enumerate(reading.peaks) if peak.text == " "]
    seen = crops.widen(line.polygon, reading.margin)
    pixels = distance(seen[0], seen[1]) / reading.frame_count
    gaps = np.array([_gap(reading.peaks, i) for i in spaces]) * pixels / distance(line.polygon[0], line.polygon[3])
    cuts = [
        at
        for at, gap in enumerate(gaps.tolist())
        if gap >= LEAST_GAP and (is_amount[at] or is_amount[at + 1]) and _is_wider(gap, np.delete(gaps, at))
    ]
    if not cuts:
        return whole
    edges = [0, *(at + 1 for at in cuts), len(words)]
    ends = [-1, *(spaces[at] for at in cuts), len(reading.peaks)]
    peaks = [reading.peaks[a + 1 : b] for a, b in pairwise(ends)]
    places = [_ends_of_gap(reading.peaks, spaces[at]) for at in cuts]
    borders = [0.0, *(frame for place in places for frame in place), reading.frame_count]
    return [
        (part, _moved(reading, mine, " ".join(raw[a:b]), part, (seen, pixels)))
        for mine, (a, b), start, end in zip(peaks, pairwise(edges), borders[::2], borders[1::2], strict=True)
        for part in [_cut(line, seen, start / reading.frame_count, end / reading.frame_count)]
    ]


def _gap(peaks: Sequence[Peak], space: int) -> float:
    """Return how wide the gap at a space is, frames: half of what lies between the characters beside it."""
    before, after = peaks[space - 1], peaks[space + 1]
    return (after.first + after.last - before.first - before.last) / 4


def _ends_of_gap(peaks: Sequence[Peak], space: int) -> tuple[float, float]:
    """Return where the characters beside a space end and begin: half-way from their middles to its own, frames."""
    before, at, after = ((peaks[i].first + peaks[i].last + 1) / 2 for i in (space - 1, space, space + 1))
    return (before + at) / 2, (at + after) / 2


def _is_wider(gap: float, others: NDArray[np.float64]) -> bool:
    return len(others) < FEWEST_GAPS or gap >= WIDER * float(np.median(others))


def _cut(line: TextLine, seen: NDArray[np.float32], start: float, end: float) -> TextLine:
    """Return the part of a line between two shares of what was seen of it."""
    a, b, c, d = line.polygon
    along = (seen[1] - seen[0]) / max(distance(seen[0], seen[1]), 1e-6)
    length = distance(seen[0], seen[1])
    left, right = (float((a - seen[0]) @ along), float((b - seen[0]) @ along))
    first, last = ((np.clip(share * length, left, right) - left) / max(right - left, 1e-6) for share in (start, end))
    corners = [a + first * (b - a), a + last * (b - a), d + last * (c - d), d + first * (c - d)]
    return replace(line, polygon=np.array(corners, np.float32))


def _moved(
    reading: Reading, peaks: Sequence[Peak], raw: str, part: TextLine, whole: tuple[NDArray[np.float32], float]
) -> Reading:
    """Return the reading of a part: its frames counted from where the part, with its margin, begins."""
    seen, pixels = whole
    mine = crops.widen(part.polygon, reading.margin)
    along = (seen[1] - seen[0]) / max(distance(seen[0], seen[1]), 1e-6)
    start = round(float((mine[0] - seen[0]) @ along) / pixels)
    moved = [replace(peak, first=peak.first - start, last=peak.last - start) for peak in peaks]
    return reading._replace(peaks=moved, raw_text=raw, frame_count=distance(mine[0], mine[1]) / pixels)
