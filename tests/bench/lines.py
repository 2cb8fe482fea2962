"""Read labelled lines in this process, and compare character by character."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from models import Recognizer
from models.frames import Frames
from shared.limits import Limits
from worker.ocr.decode.pages import decode_pages
from worker.ocr.lines.layout import arrange
from worker.ocr.page.crops import crop_line
from worker.ocr.page.preprocess import as_is
from worker.ocr.text import one_by_one

Prepared = list[NDArray[np.float32]]


def prepared_lines(folder: Path, score: ModuleType, recognizer: Recognizer) -> Iterator[tuple[str, Prepared]]:
    """Truth and line images of each row of a set, as a job with layout=line would see them."""
    for path, truth in score.read_lines(folder):
        upright = as_is(next(decode_pages(path.read_bytes(), Limits())).gray)
        found = arrange(upright, "line").lines
        yield truth, [recognizer.prepare(crop_line(upright.image, line.polygon)) for line in found]


def frames_of(lines: Prepared, recognizer: Recognizer) -> list[Frames]:
    """The frames of each piece of the lines."""
    pieces = itertools.chain.from_iterable(one_by_one.split_long(line) for line in lines)
    stride = recognizer.card.time_stride
    return [recognizer.frames(one_by_one.pad(piece)[None])[0].part(slice(piece.shape[2] // stride)) for piece in pieces]


def distance(score: ModuleType, truth: str, guess: str) -> int:
    """Edit distance as the metric counts it, case ignored."""
    return int(Levenshtein.distance(score.normalise(truth).lower(), score.normalise(guess).lower()))


def are_right(score: ModuleType, guess: str, truth: str) -> list[bool | None]:
    """For each character of `guess` whether it is right, by alignment, case ignored; None: a space beside Chinese."""
    wanted = score.normalise(truth).lower()
    folded = [score.normalise(one).lower() or " " for one in guess]
    chinese = bool(score.CJK.search(wanted + guess))
    counted = [index for index, one in enumerate(folded) if not (chinese and one == " ")]
    right: list[bool | None] = [None] * len(guess)
    compared = [folded[index][:1] for index in counted]
    for step in Levenshtein.opcodes(compared, list(wanted)):
        for place in range(step.src_start, step.src_end):
            right[counted[place]] = step.tag == "equal"
    return right


def has_only_digits(text: str) -> bool:
    """Whether a line is a number: digits and signs, no letter."""
    return bool(re.search(r"\d", text)) and not re.search(r"[^\W\d_]", text)


def has_code(text: str) -> bool:
    """Whether letters and digits touch somewhere."""
    return bool(re.search(r"[A-Za-z]\d|\d[A-Za-z]", text))
