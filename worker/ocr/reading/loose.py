"""What was sent as one line and reads badly is looked for: it may be tilted, have wide borders, or be several lines."""

from __future__ import annotations

from dataclasses import replace

from worker.ocr.ink.ink import Gray
from worker.ocr.reading.again import STROKES
from worker.ocr.reading.directions import in_best_direction
from worker.ocr.reading.found import Found
from worker.ocr.reading.tools import Tools
from worker.ocr.text.decoder import Reading

DOUBT = 0.8  # confidence; a line that reads better is where the sender says
SURER = 0.1  # by so much everything that is found must read better
EACH = 0.85  # confidence of each, where several are found
MOST_TURNED = 135.0  # degrees; that a line is upside down is not taken from a sender who knows where it is


def look_for_line(tools: Tools, gray: Gray, found: Found, read: list[Reading]) -> tuple[Found, list[Reading]]:
    """Return what stands on an image that was sent as one line: all of it as one or, if surer, what is found there.

    Args:
        tools: With any other `layout` than `line`, everything is returned as it is.
        gray: The image as it was sent.
        found: All of it as one line.
        read: What was read there.
    """
    if tools.options.layout != "line" or not read or _sureness(read[0]) >= DOUBT:
        return found, read
    searching = replace(tools, options=replace(tools.options, layout="auto"))
    with tools.stopwatch.measure("preprocess"):
        upright = searching.straighten(gray)
    other = searching.find(upright)
    other, again = in_best_direction(searching, gray, other, searching.read_lines(other))
    least = max(_sureness(read[0]) + SURER, EACH if len(again) > 1 else 0.0)
    is_upside_down = abs(other.arrangement.upright.angle) > MOST_TURNED
    if is_upside_down or min(map(_sureness, again), default=0.0) < least:
        return found, read
    return replace(other, arrangement=replace(other.arrangement, searched=False)), again


def _sureness(reading: Reading) -> float:
    """Return how sure a reading is, 0..1; what is no line is often read as a stroke, and surely."""
    return 0.0 if STROKES.issuperset(reading.text) else reading.confidence
