"""Part a line in two at one of its spaces: nothing that was read is lost or read anew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from shared.result import Character, Line, as_polygon
from worker.ocr.reading.parted.gaps import Gap
from worker.ocr.text.decoder import edits
from worker.ocr.text.words import slice_polygon

Edit = dict[str, Any]
"""What became of a text, or what two recognisers dispute over: see `shared.result`."""


def part_at(line: Line, gaps: Iterable[Gap]) -> list[Line]:
    """Return what stands between gaps of a line, from left to right; a gap at which it cannot be parted stays."""
    parts, rest, width = [], line, 1.0
    for gap in sorted(gaps, key=lambda one: -one.space):
        both = part(rest, gap.space, gap.begin / width, gap.end / width)
        if both:
            rest, width = both[0], gap.begin
            parts.append(both[1])
    return [rest, *reversed(parts)]


def part(line: Line, space: int, begin: float, end: float) -> tuple[Line, Line] | None:
    """Return what stands before a gap and behind it.

    Args:
        line: Across; behind its gap stands no Chinese.
        space: Place of the gap's space among the characters.
        begin, end: Of the white, as shares of the line's width.

    Returns:
        None where the space was only put in by the n-gram, or two recognisers dispute over how many words there are: it
        stays whole.
    """
    cut = _place_in_raw_text(line, space)
    before, behind = _part_disputes(line, line.text[:space].count(" ") + 1)
    if cut is None or before is None or behind is None:
        return None
    polygon = np.array(line.polygon)
    left, right = (as_polygon(one) for one in slice_polygon(polygon, np.array([0.0, end]), np.array([begin, 1.0])))
    word_count = len(line.text[space + 1 :].split())
    first = replace(
        line,
        text=line.text[:space],
        raw_text=line.raw_text[:cut],
        polygon=left,
        characters=_rescale(line.characters[:space], 0.0, begin),
        words=line.words[:-word_count],
    )
    second = replace(
        line,
        text=line.text[space + 1 :],
        raw_text=line.raw_text[cut + 1 :],
        polygon=right,
        characters=_rescale(line.characters[space + 1 :], end, 1.0),
        words=line.words[-word_count:],
    )
    return _edited(first, before), _edited(second, behind)


def _place_in_raw_text(line: Line, space: int) -> int | None:
    """Return where a space of the text stands in the raw text; None: it does not."""
    before = [one for one in line.edits if one["kind"] == "language" and one["start"] <= space]
    if any(space < one["start"] + len(one["to"]) for one in before):
        return None
    return space + sum(len(one["from"]) - len(one["to"]) for one in before)


def _part_disputes(line: Line, word_count: int) -> tuple[list[Edit], list[Edit]] | tuple[None, None]:
    """Return what two recognisers read differently before the space behind so many words, and what behind it.

    None: they see different numbers of words, and nobody can tell.
    """
    parts: tuple[list[Edit], list[Edit]] = [], []
    for dispute in [one for one in line.edits if one["kind"] == "dispute"]:
        first, second = dispute["from"].split(" "), dispute["to"].split(" ")
        if len(first) != len(second):
            return None, None
        for part, words in zip(parts, (slice(word_count), slice(word_count, None)), strict=True):
            if first[words] != second[words]:
                part.append(dispute | {"from": " ".join(first[words]), "to": " ".join(second[words])})
    return parts


def _rescale(characters: Sequence[Character], start: float, end: float) -> tuple[Character, ...]:
    """Return characters with their places as shares of the part of the line between two shares of it."""
    width = max(end - start, 1e-6)
    return tuple(
        replace(
            one,
            start=min(max((one.start - start) / width, 0.0), 1.0),
            end=min(max((one.end - start) / width, 0.0), 1.0),
        )
        for one in characters
    )


def _edited(line: Line, disputes: Sequence[Edit]) -> Line:
    return replace(line, edits=(*edits(line.raw_text, line.text), *disputes))
