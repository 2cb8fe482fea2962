"""From decoded frames to characters and words with a place on the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.charset import CJK
from shared.result import Character, Word
from shared.result.polygon import Polygon, from_points
from worker.ocr.text.ctc import Peak
from worker.ocr.text.decoder import Reading

FEWEST, MOSTLY = 3, 0.6  # hanzi, and their share of the characters of a line in Chinese


def place_characters(peaks: Sequence[Peak], frame_count: float, start: float = 0.0) -> list[Character]:
    """Give each decoded character its cell along the line.

    CTC peaks stand near the middle of their characters, so a cell ends half-way between two peaks.

    Args:
        peaks: In order.
        frame_count: Frames that the line itself takes, without padding; need not be whole.
        start: Where the line begins, in frames; before it lies what the recogniser saw of its surroundings.
    """
    if not peaks:
        return []
    middles = np.array([(peak.first + peak.last + 1) / 2 for peak in peaks])
    between = (middles[1:] + middles[:-1]) / 2
    inside = (between - start) / frame_count
    edges = np.clip(np.concatenate([[0.0], inside, [1.0]]), 0.0, 1.0)
    edges = np.maximum.accumulate(edges)
    return [
        Character(peak.text, min(1.0, peak.confidence), float(a), float(b))
        for peak, a, b in zip(peaks, edges[:-1], edges[1:], strict=True)
    ]


def place_in_column(reading: Reading, borders: NDArray[np.float64], length: float) -> list[Character]:
    """Give each decoded character of a column its cell; what looks like a space is only the gap between two.

    Args:
        reading: Of the column's characters, set side by side in squares.
        borders: Of these characters in the column, (N + 1,) px from its top.
        length: Of the column, px.
    """
    peaks = [peak for peak in reading.peaks if peak.text != " "]
    row = np.linspace(0.0, 1.0, len(borders))
    return [
        replace(one, start=start, end=end)
        for one in place_characters(peaks, reading.frame_count)
        for start, end in [np.clip(np.interp((one.start, one.end), row, borders / length), 0.0, 1.0).tolist()]
    ]


def is_chinese(reading: Reading) -> bool:
    """Tell whether most characters of a line are hanzi."""
    hanzi = sum(bool(CJK.match(peak.text)) for peak in reading.peaks)
    return hanzi >= max(FEWEST, MOSTLY * len(reading.peaks))


def middles_of_hanzi(
    reading: Reading, polygon: NDArray[np.float32], least_confidence: float = 0.0
) -> NDArray[np.float64]:
    """Return where the hanzi of a line stand, (N, 2) px of the page that its polygon, (4, 2), is on."""
    start, end = (polygon[0] + polygon[3]) / 2, (polygon[1] + polygon[2]) / 2
    hanzi = [peak for peak in reading.peaks if CJK.match(peak.text) and peak.confidence >= least_confidence]
    middles = [(peak.first + peak.last + 1) / 2 for peak in hanzi]
    shares = np.array(middles, np.float64).reshape(-1, 1) / max(reading.frame_count, 1e-6)
    return np.asarray(start + shares * (end - start), np.float64)


def split_words(characters: Sequence[Character], polygon: NDArray[np.float64]) -> list[Word]:
    """Return the words of a line: split at spaces, and one word for each Chinese character.

    Args:
        characters: Of one line, in order.
        polygon: (4, 2) px, the line from the first cell's start to the last cell's end.
    """
    runs: list[list[Character]] = [[]]
    for character in characters:
        if character.text == " ":
            runs.append([])
        elif CJK.match(character.text):
            runs += [[character], []]
        else:
            runs[-1].append(character)
    runs = [run for run in runs if run]
    ends = np.array([(run[0].start, run[-1].end) for run in runs]).reshape(-1, 2)
    places = np.round(slice_polygon(polygon, ends[:, 0], ends[:, 1]), 1).tolist()
    return [_word(run, from_points(place)) for run, place in zip(runs, places, strict=True)]


def _word(run: Sequence[Character], place: Polygon) -> Word:
    text = "".join(character.text for character in run)
    return Word(text, sum(character.confidence for character in run) / len(run), place)


def slice_polygon(
    polygon: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the parts of a line's polygon, (4, 2) px, between shares of its width, (N,) 0..1 each: (N, 4, 2)."""
    top_left, top_right, bottom_right, bottom_left = polygon
    starts, ends = start[:, None], end[:, None]
    above, below = top_right - top_left, bottom_right - bottom_left
    corners = [
        top_left + starts * above,
        top_left + ends * above,
        bottom_left + ends * below,
        bottom_left + starts * below,
    ]
    return np.stack(corners, axis=1)
