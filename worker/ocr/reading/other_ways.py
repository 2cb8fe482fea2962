"""Lines that lie otherwise than their page: columns of Chinese, lines upside down, lines on their side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.charset import CJK
from worker.ocr.ink.ink import Gray
from worker.ocr.lines import turned
from worker.ocr.lines.columns import find as columns
from worker.ocr.lines.columns import stacks
from worker.ocr.lines.layout import search_all
from worker.ocr.lines.text_line import TextLine, hulls_of
from worker.ocr.lines.turned import DOUBTFUL, UNREAD, Way
from worker.ocr.reading.found import LEAST_CONFIDENCE, Found, kept
from worker.ocr.reading.tools import Tools
from worker.ocr.text import words
from worker.ocr.text.decoder import Reading

LEAST_IN_COLUMN = 0.75  # a column of Chinese reads at least as surely
SURE_HANZI = 0.7  # confidence of characters that tell how the text runs: smudges read as hanzi, too, but less surely
LIKELY_HANZI = 0.5  # the same on a page in Chinese
NUMERALS = frozenset("一二三四五六七八九十")
LEAST_DIFFERENT = 0.4  # of the characters of a column: in the cells of a table the same stand again and again
NOWHERE = np.zeros((0, 2))


def read_columns(tools: Tools, found: Found, read: list[Reading]) -> tuple[Found, list[Reading]]:
    """Return the lines with columns of Chinese that runs down in place of what was read across them."""
    arrangement, upright = found.arrangement, found.arrangement.upright
    if not arrangement.searched:
        return found, read
    pairs = list(zip(read, arrangement.lines, strict=True))
    hanzi = [words.middles_of_hanzi(one, line.polygon) for one, line in pairs]
    places = np.concatenate([NOWHERE, *hanzi])
    is_chinese = len(places) >= words.MOSTLY * sum(len(one.peaks) for one in read)
    least = LIKELY_HANZI if is_chinese else SURE_HANZI
    surest = [words.middles_of_hanzi(one, line.polygon, least) for one, line in pairs]
    if not columns.may_run_down(np.concatenate([NOWHERE, *surest])) and not (
        is_chinese and tools.find_unread(found, range(len(read))).share >= columns.MOST_UNREAD
    ):
        return _take_columns(tools, found, read, hanzi, _stacked(tools, found, read))
    with tools.stopwatch.measure("lines"):
        single = hulls_of(arrangement.lines)[_single(read)]
        lines = columns.find_columns(upright.image, lambda page: search_all(page, tools.detector), places, single)
    return _take_columns(tools, found, read, hanzi, stacks.without_cells(lines, hulls_of(arrangement.lines)))


def _stacked(tools: Tools, found: Found, read: Sequence[Reading]) -> list[TextLine]:
    """Return the columns in which hanzi that were found one by one stand, on a page that runs across."""
    arrangement, page = found.arrangement, found.arrangement.upright.image
    hulls, single, lines = hulls_of(arrangement.lines), _single(read), list[TextLine]()
    for place in stacks.stacks_of(hulls, single):
        left, top, right, bottom = np.clip(place, 0, [*page.shape[::-1], *page.shape[::-1]]).astype(int)
        strip = np.ascontiguousarray(page[top:bottom, left:right])
        with tools.stopwatch.measure("lines"):
            down = columns.find_columns(
                strip,
                lambda image: search_all(image, tools.detector),
                NOWHERE,
                hulls[single] - [left, top, left, top],
                in_table=False,
            )
        lines += [replace(line, polygon=line.polygon + np.array([left, top], np.float32)) for line in down]
    return lines


def _single(read: Sequence[Reading]) -> NDArray[np.bool_]:
    """Tell which lines are one hanzi, (N,)."""
    return np.array([len(one.text) == 1 and bool(CJK.match(one.text)) for one in read], np.bool_)


def _take_columns(
    tools: Tools,
    found: Found,
    read: list[Reading],
    hanzi: Sequence[NDArray[np.float64]],
    lines: Sequence[TextLine],
) -> tuple[Found, list[Reading]]:
    """Return the lines with those columns that read like Chinese in place of the hanzi, (N, 2) px, read across."""
    arrangement = found.arrangement
    images = tools.images(arrangement.upright.image, lines)
    down = tools.read(images)
    sure = [i for i, one in enumerate(down) if _is_column(one)]
    if not sure:
        return found, read
    believed = [lines[i] for i in sure]
    across = [
        i
        for i, line in enumerate(arrangement.lines)
        if read[i].confidence >= LEAST_CONFIDENCE and not columns.replaced_by(believed, line, hanzi[i])
    ]
    kept_images = [found.images[i] for i in across] + [images[i] for i in sure]
    now = replace(arrangement, lines=[arrangement.lines[i] for i in across] + believed)
    return Found(now, kept_images, found.quality), [read[i] for i in across] + [down[i] for i in sure]


def _is_column(reading: Reading) -> bool:
    """Tell whether what was read down is Chinese, and more than the numbers of rows, or 是 and 否 in them."""
    if reading.confidence < LEAST_IN_COLUMN or not words.is_chinese(reading):
        return False
    return not NUMERALS.issuperset(reading.text) and len(set(reading.text)) > len(reading.text) * LEAST_DIFFERENT


def read_turned(tools: Tools, found: Found, read: list[Reading]) -> tuple[Found, list[Reading]]:
    """Return the lines with those that lie upside down, or on their side, read as they lie."""
    if not found.arrangement.searched:
        return found, read
    page, lines = found.arrangement.upright.image, list(found.arrangement.lines)
    images, read = list(found.images), list(read)
    ways = [_way(one) for one in read]
    doubtful = [i for i in turned.doubtful(ways) if lines[i].cells is None]
    other = [turned.upside_down(lines[i]) for i in doubtful]
    other_images = tools.images(page, other)
    for at, one in _read_promising(tools, other_images):
        i, way = doubtful[at], _way(one)
        if turned.is_right(way, ways[i]) and turned.tells_its_way(one.text):
            lines[i], images[i], read[i], ways[i] = other[at], other_images[at], one, way
            found = Found(replace(found.arrangement, lines=lines), images, found.quality)
    legible = [i for i in kept(found, read) if ways[i].confidence >= DOUBTFUL]
    boxes = turned.on_side(tools.find_unread(found, legible).places, lines, ways)
    if not boxes:
        return found, read
    tried = turned.both_ways(boxes)
    tried_images = tools.images(page, tried)
    tried_read = dict(_read_promising(tools, tried_images))
    chosen = turned.choose([_way(tried_read[at]) if at in tried_read else UNREAD for at in range(len(tried))])
    side = [tried[at] for at in chosen]
    stay = turned.without(lines, ways, side)
    lines, images = [lines[i] for i in stay] + side, [images[i] for i in stay] + [tried_images[at] for at in chosen]
    found = Found(replace(found.arrangement, lines=lines), images, found.quality)
    return found, [read[i] for i in stay] + [tried_read[at] for at in chosen]


def _read_promising(tools: Tools, images: Sequence[Gray]) -> list[tuple[int, Reading]]:
    """Return what was read in those of the line images whose middle reads rather well, by their places."""
    glances = tools.glance([turned.middle_of(image) for image in images])
    worth = [at for at, one in enumerate(glances) if one.confidence >= turned.PROMISING]
    return list(zip(worth, tools.read([images[at] for at in worth]), strict=True))


def _way(reading: Reading) -> Way:
    return Way(reading.confidence, len(reading.peaks))
