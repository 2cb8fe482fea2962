"""What stands on a page and is not in its text, as far as can be told, and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.result import as_polygon
from shared.result.polygon import Polygon
from worker.ocr.lines.text_line import TextLine
from worker.ocr.page.quality import Quality
from worker.ocr.reading.found import Found
from worker.ocr.reading.half_read import find_half_read
from worker.ocr.reading.tools import Tools
from worker.ocr.text.decoder import Reading

MOST_UNREADABLE = 3  # places on a page of which nothing was kept; more are a picture's
LEGIBLE, LEGIBLE_WORD = 0.4, 0.25  # of a line that was not kept: a character that reads so, or some, were writing


def find_missing(
    tools: Tools, found: Found, read: Sequence[Reading], kept: Sequence[int]
) -> tuple[Quality, dict[str, list[Polygon]]]:
    """Return what was measured of what is missing, and the places, px of the original page, by these measures.

    unread_ink: share of the ink that looks like letters and lies in no line. unreadable_lines: that were found and not
    kept. half_read: places within lines.
    """
    unread = tools.find_unread(found, kept)
    places: dict[str, Sequence[NDArray[Any]]] = {
        "unread_ink": unread.places,
        "unreadable_lines": unreadable(found, read, kept),
        "half_read": find_half_read(found, read, kept),
    }
    measured: Quality = {name: float(len(of)) for name, of in places.items()}
    measured["unread_ink"] = round(unread.share, 4)
    to_page = found.arrangement.upright.map_to_page
    return measured, {name: [as_polygon(to_page(one).tolist()) for one in of] for name, of in places.items()}


def unreadable(found: Found, read: Sequence[Reading], kept: Sequence[int]) -> list[NDArray[np.float32]]:
    """Return where letters or digits were seen, so poorly that their line was not kept: (4, 2) px each.

    Where nothing was kept, a few places tell also what a second look found; more of them are a picture's.
    """
    lines, searched = found.arrangement.lines, found.arrangement.searched
    is_empty = not kept and len(lines) <= MOST_UNREADABLE
    dropped = sorted(set(range(len(lines))) - set(kept)) if searched else []
    return [lines[i].polygon for i in dropped if (is_empty and _has_letters(read[i])) or _is_legible(lines[i], read[i])]


def _has_letters(reading: Reading) -> bool:
    return any(character.isalnum() for character in reading.text)


def _is_legible(line: TextLine, reading: Reading) -> bool:
    """Tell whether what was dropped was writing rather than a picture."""
    letters = sum(character.isalnum() for character in reading.text)
    return not line.in_doubt and letters > 0 and reading.confidence >= (LEGIBLE_WORD if letters > 1 else LEGIBLE)
