"""Which frames of a line may be read anew with the n-gram: around unsure characters, but not in numbers or codes."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.charset import BLANK, CJK
from models.frames import Frames
from worker.ocr.text import ctc
from worker.ocr.text.ctc import BestPath, Runs

TOKEN = re.compile(rf"(?:(?!{CJK.pattern})[^ ])+")

SURE = 0.95  # a character whose peak is above this stays
HIDDEN = 3.0  # logits that the blank is ahead of a character: nearer ones may be missing, unless they stand beside it
LEAST_SURE = 0.4  # mean probability of a line's characters; where it is lower there is nothing to go by, only to invent
LIKE_DIGITS = "lIOo"
MAJORITY = 3  # letters or digits, that make a single stranger among them doubtful


@dataclass(frozen=True)
class Doubt:
    """What a best path is unsure of.

    runs: its characters.
    unsure: (N,) bool, characters that may be others.
    hidden: frames between characters where another one may stand.
    """

    runs: Runs
    unsure: NDArray[np.bool_]
    hidden: NDArray[np.int64]

    def __bool__(self) -> bool:
        return bool(len(self.runs.firsts)) and (bool(self.unsure.any()) or len(self.hidden) > 0)


def find_doubt(path: BestPath, heard: Frames) -> Doubt:
    """Look for unsure characters in the best path of some frames."""
    runs = ctc.find_runs(path.labels)
    confidences = ctc.peak_confidences(path, runs)
    if len(confidences) and confidences.mean() < LEAST_SURE:
        return Doubt(runs, np.zeros(len(confidences), np.bool_), np.zeros(0, np.int64))
    unsure = confidences < SURE
    blank = np.flatnonzero(path.labels[heard.heard] == BLANK)
    logits = heard.logits[blank]
    places, rivals = np.divmod(np.flatnonzero(logits > logits[:, [BLANK]] - HIDDEN), logits.shape[1])
    frames = heard.heard[blank[places]]
    after = np.searchsorted(runs.firsts, frames)
    beside = np.concatenate([[BLANK], runs.labels, [BLANK]])
    strange = (rivals != BLANK) & (rivals != beside[after]) & (rivals != beside[after + 1])
    return Doubt(runs, unsure, np.unique(frames[strange]))


def open_frames(doubt: Doubt, path: BestPath, characters: str) -> list[int]:
    """Frames that may change: from an unsure place to the peaks of the sure characters around it.

    Args:
        doubt: What to look at.
        path: Where it was found.
        characters: Of the runs, one for each.
    """
    firsts, lasts = doubt.runs.firsts, doubt.runs.lasts
    fixed = _fixed(characters)
    unsure = doubt.unsure & ~fixed
    around = np.concatenate([[False], fixed, [False]])
    after = np.searchsorted(firsts, doubt.hidden)
    gaps = after[~around[after] & ~around[after + 1]]
    spans = [*zip(gaps - 1, gaps, strict=True), *((index - 1, index + 1) for index in np.flatnonzero(unsure))]
    frames: set[int] = set()
    for start, end in spans:
        left = next((index for index in range(start, -1, -1) if not unsure[index]), -1)
        right = next((index for index in range(end, len(firsts)) if not unsure[index]), len(firsts))
        first = _peak(path, firsts[left], lasts[left]) + 1 if left >= 0 else 0
        last = _peak(path, firsts[right], lasts[right]) if right < len(firsts) else len(path.labels)
        frames.update(range(first, last))
    return sorted(frames)


def _peak(path: BestPath, first: int, last: int) -> int:
    return int(first + path.confidences[first : last + 1].argmax())


def _fixed(characters: str) -> NDArray[np.bool_]:
    """Whether each character stays because it belongs to a number or a code, or is a space beside one.

    No n-gram knows what number it was. Only a single letter in a number (`7.4O`) and a single digit in a word (`Tota1`)
    may change.
    """
    fixed = np.zeros(len(characters), np.bool_)
    for match in TOKEN.finditer(characters):
        token = match[0]
        if any(character.isdigit() for character in token):
            fixed[match.start() : match.end()] = True
            for stranger in _strangers(token):
                fixed[match.start() + stranger] = False
    beside = np.concatenate([[False], fixed[:-1]]) | np.concatenate([fixed[1:], [False]])
    spaces = np.array([character == " " for character in characters], np.bool_)
    fixed |= spaces & beside
    return fixed


def _strangers(token: str) -> list[int]:
    """Places of the only letter among digits, of the only digit among letters, and of letters that look like digits."""
    digits = [index for index, character in enumerate(token) if character.isdigit()]
    letters = [index for index, character in enumerate(token) if character.isalpha()]
    if len(digits) == 1 and len(letters) >= MAJORITY:
        return digits
    if letters and all(token[index] in LIKE_DIGITS for index in letters):
        return letters
    return letters if len(letters) == 1 and len(digits) >= MAJORITY - 1 and letters[0] > digits[0] else []
