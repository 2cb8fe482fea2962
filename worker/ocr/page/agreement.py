"""Whether the text layer of a page says what is seen: some of its lines are read, and compared.

What a font's characters mean is a table in the file, and it may lie. So lines of each font are read.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from difflib import SequenceMatcher

import numpy as np

from models.charset import Charset, unify
from worker.ocr.decode.layer.lines import LayerLine
from worker.ocr.ink.ink import Gray
from worker.ocr.page import crops
from worker.ocr.page.islands import in_one_polarity

LINES_OF_A_FONT = 4
MOST_LINES = 24
FEWEST_CHARACTERS = 4  # of a line; of fewer nothing can be told
LONGEST = 60.0  # heights; of a longer line the cut is large and says no more
KNOWN = 0.8  # share of a line's characters that the recogniser knows; others cannot be compared
SURE = 0.8  # a line that reads with less says nothing against its layer
ALIKE = 0.5  # share of the characters that a layer and what is read must have in common

Read = Callable[[Sequence[Gray]], Sequence[tuple[str, float]]]
"""From line images to their texts and confidences."""


def agrees(lines: Sequence[LayerLine], gray: Gray, charset: Charset, read: Read) -> bool:
    """Tell whether of no font half of the lines that were read surely say something else.

    Args:
        lines: Of the layer.
        gray: The page, (H, W) uint8, in whose pixels they lie.
        charset: What the recogniser knows.
        read: Reads images of lines.
    """
    chosen = choose(lines, charset)
    images = [in_one_polarity(crops.crop_line(gray, line.polygon.astype(np.float32), 0.0)) for line in chosen]
    votes: dict[int, list[bool]] = {}
    for line, (text, confidence) in zip(chosen, read(images), strict=True):
        if confidence >= SURE and text.strip():
            votes.setdefault(line.font, []).append(likeness(line.text, text) >= ALIKE)
    return all(2 * sum(of_font) > len(of_font) for of_font in votes.values())


def choose(lines: Sequence[LayerLine], charset: Charset) -> list[LayerLine]:
    """Return lines that can be compared, of each font some, evenly over the page."""
    by_font: dict[int, list[LayerLine]] = {}
    for line in lines:
        if _can_be_compared(line, charset):
            by_font.setdefault(line.font, []).append(line)
    chosen = []
    for of_font in by_font.values():
        step = max(1, len(of_font) // LINES_OF_A_FONT)
        chosen += of_font[::step][:LINES_OF_A_FONT]
    return chosen[:MOST_LINES]


def likeness(a: str, b: str) -> float:
    """Return the share of characters that two texts have in common in the same order, 0..1; case does not count."""
    return SequenceMatcher(None, _plain(a), _plain(b), autojunk=False).ratio()


def _can_be_compared(line: LayerLine, charset: Charset) -> bool:
    text = _plain(line.text)
    wide, high = (float(np.linalg.norm(line.polygon[end] - line.polygon[0])) for end in (1, 3))
    known = sum(character in charset or character.upper() in charset for character in text)
    return len(text) >= FEWEST_CHARACTERS and known >= KNOWN * len(text) and wide <= LONGEST * max(high, 1.0)


def _plain(text: str) -> str:
    return "".join(unify(unicodedata.normalize("NFKC", text)).split()).casefold()
