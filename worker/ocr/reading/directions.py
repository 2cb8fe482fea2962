"""A page that reads badly as it came is tried in other directions: as its ink slants, on its sides, upside down."""

from __future__ import annotations

from collections.abc import Sequence

from worker.ocr.ink.ink import Gray
from worker.ocr.page import turning
from worker.ocr.page.preprocess import as_is, estimate_steep_angle, tilt_of, turn
from worker.ocr.page.turning import Legibility
from worker.ocr.reading.again import STROKES
from worker.ocr.reading.found import Found, confidences
from worker.ocr.reading.tools import Tools
from worker.ocr.text.decoder import Reading

AT_END = 14.0  # degrees; what was straightened by more may slant by more than straightening tries
LEFT_OVER = 7.0  # degrees; lines that slant more on a page that was straightened are in the wrong order
FEW_LINES = 12  # of a page that may be pieces of one that slants, each of which is read well


def in_best_direction(tools: Tools, gray: Gray, found: Found, read: list[Reading]) -> tuple[Found, list[Reading]]:
    """Return what stands on a page in the direction in which it reads clearly best.

    Args:
        tools: With `layout=line` everything is returned as it is: the sender is believed.
        gray: The page as it was sent.
        found: What was found on it, straightened.
        read: What was read there.
    """
    if tools.options.layout == "line":
        return found, read
    if (slanting := _find_slanting(tools, gray, found, read)) is not None:
        found = slanting
    elif quarters := _find_turn(tools, gray, found, read):
        found = tools.find(tools.turn(gray, quarters))
    else:
        return found, read
    return found, tools.read_lines(found)


def _find_slanting(tools: Tools, gray: Gray, found: Found, read: Sequence[Reading]) -> Found | None:
    """Return the lines of a page whose writing slants by more than is straightened unasked; None: it does not."""
    now = Legibility.of(confidences([one for one in read if not STROKES.issuperset(one.text)]))
    left_over = tilt_of([line.polygon for line in found.arrangement.lines]) or 0.0
    slants = abs(found.arrangement.upright.angle) > AT_END or abs(left_over) > LEFT_OVER or 0 < len(read) <= FEW_LINES
    if now.confidence >= turning.SURE and not now.is_in_stubs and not slants:
        return None
    with tools.stopwatch.measure("preprocess"):
        angle = estimate_steep_angle(as_is(gray).copies)
    if angle == 0.0:
        return None
    ways = []
    for one in (angle, angle - 180.0 if angle > 0 else angle + 180.0):
        with tools.stopwatch.measure("preprocess"):
            upright = turn(gray, one)
        other = tools.find(upright)
        sample = [other.images[i] for i in turning.longest(other.images)]
        ways.append((Legibility.of(confidences(tools.glance(sample))), other))
    best, other = max(ways, key=lambda way: way[0].confidence)
    is_as_good = slants and best.confidence >= turning.SURE and best.characters >= now.characters
    return other if is_as_good or turning.is_clear(best, now) else None


def _find_turn(tools: Tools, gray: Gray, found: Found, read: Sequence[Reading]) -> int:
    """Return how many quarter turns clockwise the page needs."""
    sure = [i for i, line in enumerate(found.arrangement.lines) if not line.in_doubt]
    return turning.find_turn(
        [found.images[i] for i in sure],
        confidences([read[i] for i in sure]),
        read=lambda images: confidences(tools.glance(images)),
        search=lambda quarters: tools.find(tools.turn(gray, quarters)).images,
    )
