"""A page that reads badly as it came is tried otherwise: as its ink slants, on its sides, upside down, made smaller."""

from __future__ import annotations

from collections.abc import Sequence

from worker.ocr.ink.ink import Gray
from worker.ocr.page import turning
from worker.ocr.page.preprocess import as_is, estimate_steep_angle, shrunk, tilt_of, turn
from worker.ocr.page.turning import Legibility
from worker.ocr.reading.again import STROKES
from worker.ocr.reading.found import Found, confidences
from worker.ocr.reading.tools import Tools
from worker.ocr.text.decoder import Reading

AT_END = 14.0  # degrees; what was straightened by more may slant by more than straightening tries
LEFT_OVER = 7.0  # degrees; lines that slant more on a page that was straightened are in the wrong order
FEW_LINES = 12  # of a page that may be pieces of one that slants, each of which is read well
SHARES = (0.25, 0.125, 0.0625)  # of a page's size, at which huge letters are looked for
HUGE, HUGE_SHARE = 100.0, 0.08  # px, of the shorter side; with no line so tall there are none
MOST_PIECES = 30  # lines, that huge letters fall into
BEYOND_DOUBT = 0.98  # confidence of all lines; pieces of huge letters do not read so well
PIECES_LOSE = 0.02  # confidence, in pieces of which there are twice as many as lines, and more
LEAST_SIDE = 32  # px; a smaller page shows nothing


def in_best_direction(tools: Tools, gray: Gray, found: Found, read: list[Reading]) -> tuple[Found, list[Reading]]:
    """Return what stands on a page in the direction, and at the size, in which it reads clearly best.

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
    elif (smaller := _find_smaller(tools, found, read)) is not None:
        found = smaller
    elif quarters := _find_turn(tools, gray, found, read):
        found = tools.find(tools.turn(gray, quarters))
    else:
        return found, read
    return found, tools.read_lines(found)


def _find_slanting(tools: Tools, gray: Gray, found: Found, read: Sequence[Reading]) -> Found | None:
    """Return the lines of a page whose writing slants by more than is straightened unasked; None: it does not."""
    now, straight = _legibility(read), found.arrangement.upright
    left_over = tilt_of([line.polygon for line in found.arrangement.lines]) or 0.0
    slants = abs(straight.angle) > AT_END or abs(left_over) > LEFT_OVER or 0 < len(read) <= FEW_LINES
    if now.confidence >= turning.SURE and not now.is_in_stubs and not slants:
        return None
    with tools.stopwatch.measure("preprocess"):
        as_sent = straight if straight.image is gray else as_is(gray)
        angle = estimate_steep_angle(as_sent.copies)
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
    return other if is_as_good or turning.is_clear(best, now, few_do=True) else None


def _find_smaller(tools: Tools, found: Found, read: Sequence[Reading]) -> Found | None:
    """Return the lines of a page of a few huge letters, found where they are small; None: it reads well, or not better.

    A finder sees parts of huge letters as lines. What tells them from the rows of a table is that they read badly.
    """
    now, upright = _legibility(read), found.arrangement.upright
    tallest = max((line.height for line in found.arrangement.lines), default=0.0)
    huge = max(HUGE, HUGE_SHARE * min(upright.image.shape))
    if now.confidence > BEYOND_DOUBT or len(read) > MOST_PIECES or tallest < huge:
        return None
    ways = []
    for share in SHARES:
        if min(upright.image.shape) * share >= LEAST_SIDE:
            with tools.stopwatch.measure("preprocess"):
                smaller = shrunk(upright, share)
            other = tools.find(smaller)
            ways.append((Legibility.of(confidences(tools.glance(other.images))), other))
    best, other = max(ways, key=lambda way: way[0].confidence, default=(Legibility.of(()), found))
    is_whole = 0 < 2 * best.lines <= now.lines and best.confidence >= max(turning.SURE, now.confidence + PIECES_LOSE)
    return other if is_whole or turning.is_clear(best, now, few_do=True) else None


def _legibility(read: Sequence[Reading]) -> Legibility:
    """Return how well lines read, those apart that read as a stroke."""
    return Legibility.of(confidences([one for one in read if not STROKES.issuperset(one.text)]))


def _find_turn(tools: Tools, gray: Gray, found: Found, read: Sequence[Reading]) -> int:
    """Return how many quarter turns clockwise the page needs."""
    sure = [i for i, line in enumerate(found.arrangement.lines) if not line.in_doubt]
    return turning.find_turn(
        [found.images[i] for i in sure],
        confidences([read[i] for i in sure]),
        read=lambda images: confidences(tools.glance(images)),
        search=lambda quarters: tools.find(tools.turn(gray, quarters)).images,
    )
