"""What was taken for one line and reads badly is searched: it may be tilted, have wide borders, or be several lines."""

from __future__ import annotations

from dataclasses import replace

from worker.ocr.ink.ink import Gray
from worker.ocr.reading.again import STROKES
from worker.ocr.reading.directions import in_best_direction
from worker.ocr.reading.found import LEAST_CONFIDENCE, Found, kept
from worker.ocr.reading.tools import Tools
from worker.ocr.text.decoder import Reading

DOUBT = 0.8  # confidence; a line that reads better is one
SURER = 0.15  # by so much everything that is found must read better
EACH = 0.85  # confidence of each, where several are found
FEWEST = 2  # characters in each of them
MOST_TURNED = 135.0  # degrees; that a line is upside down is not taken from a sender who knows where it is


def look_for_lines(tools: Tools, gray: Gray, found: Found, read: list[Reading]) -> tuple[Found, list[Reading]]:
    """Return what stands on an image that was taken for one line: all of it as one or, if surer, what is found there.

    Args:
        tools: With `layout=page`, or `auto` where the image was searched, everything is returned as it is.
        gray: The image as it was sent.
        found: All of it as one line.
        read: What was read there.
    """
    layout, sure = tools.options.layout, _sureness(read)
    if found.arrangement.searched or sure >= DOUBT:
        return found, read
    searching = replace(tools, options=replace(tools.options, layout="auto" if layout == "line" else "page"))
    with tools.stopwatch.measure("preprocess"):
        upright = searching.straighten(gray)
    other = searching.find(upright)
    other, again = in_best_direction(searching, gray, other, searching.read_lines(other))
    other, again = look_for_lines(searching, gray, other, again)
    held = kept(other, again)
    is_better = _is_better([again[i] for i in held], read)
    if layout == "auto":
        return (other, again) if is_better or sure < LEAST_CONFIDENCE else (found, read)
    if not is_better or abs(other.arrangement.upright.angle) > MOST_TURNED:
        return found, read
    arrangement = replace(other.arrangement, lines=[other.arrangement.lines[i] for i in held], searched=False)
    return replace(other, arrangement=arrangement, images=[other.images[i] for i in held]), [again[i] for i in held]


def _is_better(again: list[Reading], read: list[Reading]) -> bool:
    """Tell whether what was found reads better than all as one line, and is not merely a part of it."""
    whole = "".join(one.text for one in read).casefold()
    if any(one.text.casefold() in whole or (len(again) > 1 and len(one.text) < FEWEST) for one in again):
        return False
    return _sureness(again) >= max(_sureness(read) + SURER, EACH if len(again) > 1 else 0.0)


def _sureness(read: list[Reading]) -> float:
    """Return how sure the least sure line is, 0..1; what is no line is often read as a stroke, and surely."""
    return min((0.0 if STROKES.issuperset(one.text) else one.confidence for one in read), default=0.0)
