"""Which lines a stronger recogniser reads again: a rule that was fitted, and is kept as data beside this file.

The rule estimates how likely a reading holds an error that the stronger recogniser would not make, by a logistic
regression over what `measure` says of a line, in which errors and time have their price; `tests/bench/cascade.py` fits
it and writes `rule.json`.
"""

from __future__ import annotations

import functools
import json
import math
import pathlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.charset import CJK
from worker.ocr.text.decoder import Reading
from worker.ocr.text.unseen import unseen_ink

FILE = pathlib.Path(__file__).with_name("rule.json")
EDGE = 1e-4  # confidences nearer to 0 or 1 than this count as this
MOST_UNSEEN = 2.0  # characters; where more are missing it is a picture, or no writing
FEW_PIXELS = 4.3  # log2 px; hanzi of crops lower than this are strokes of a pixel
OPENING = {"(": ")）", "（": ")）", "[": "]", "{": "}", "【": "】", "《": "》", "〈": "〉", "「": "」", "『": "』"}
CLOSING = frozenset("".join(OPENING.values()))
PROBE_HEIGHT = 32  # px; blur is measured on a copy of the line of this height


def measure(image: NDArray[np.uint8], reading: Reading) -> dict[str, float]:
    """What speaks for or against a reading.

    Args:
        image: (h, w) uint8, 0 = black, the line.
        reading: What was read in it, at least one character.

    Returns:
        mean, least, second: logits of the characters' mean, least and second least confidence. doubts: log2 of one
        more than the characters below 0.9. length: log2 of the characters. height: log2 px of the crop. blur: log2 of
        the variance of its Laplacian; low is blurred. room: log2 of the crop's width for each character, in heights:
        much is left over where something was not seen. chinese: share of the characters, 0..1. small: that share times
        by how much, in log2, the crop is lower than hanzi need. unseen: log2 of one more than four times the
        characters that would fill the ink where none was read. unpaired: 1 where a bracket has no other one, else 0.
    """
    peaks = reading.peaks
    confidences = np.array([peak.confidence for peak in peaks])
    lowest = np.sort(confidences)[[0, min(1, len(peaks) - 1)]]
    rows, columns = image.shape
    chinese = sum(CJK.match(peak.text) is not None for peak in peaks) / len(peaks)
    return {
        "mean": _logit(float(confidences.mean())),
        "least": _logit(float(lowest[0])),
        "second": _logit(float(lowest[1])),
        "doubts": math.log2(1 + int((confidences < 0.9).sum())),
        "length": math.log2(len(peaks)),
        "height": math.log2(rows),
        "blur": _sharpness(image),
        "room": math.log2(columns / rows / len(peaks)),
        "chinese": chinese,
        "small": chinese * max(0.0, FEW_PIXELS - math.log2(rows)),
        "unseen": math.log2(1 + 4 * min(float(unseen_ink(image, reading).sum()), MOST_UNSEEN)),
        "unpaired": float(_has_lone_bracket(peak.text for peak in peaks)),
    }


@dataclass(frozen=True)
class Rule:
    """weights: by the names of `measure`. limit: a line is read again from this sum on. sure: confidence of a line."""

    weights: Mapping[str, float]
    offset: float
    limit: float
    sure: float

    def doubt(self, measured: Mapping[str, float]) -> float:
        """The logit of an error that the stronger recogniser would not make."""
        return self.offset + sum(weight * measured[name] for name, weight in self.weights.items())

    def is_doubtful(self, image: NDArray[np.uint8], reading: Reading) -> bool:
        """Whether a line is to be read again. Where nothing was read the stronger recogniser always has a look."""
        return not reading.peaks or self.doubt(measure(image, reading)) >= self.limit

    def to_json(self) -> str:
        """For the file."""
        return json.dumps(asdict(self), indent=1)


@functools.cache
def load() -> Rule:
    """The rule that is shipped."""
    stored = json.loads(FILE.read_text("utf-8"))
    return Rule(**{name: stored[name] for name in ("weights", "offset", "limit", "sure")})


def _has_lone_bracket(characters: Iterable[str]) -> bool:
    opened: list[str] = []
    for one in characters:
        if one in OPENING:
            opened.append(OPENING[one])
        elif one in CLOSING and (not opened or one not in opened.pop()):
            return True
    return bool(opened)


def _logit(confidence: float) -> float:
    clipped = min(max(confidence, EDGE), 1 - EDGE)
    return math.log(clipped / (1 - clipped))


def _sharpness(image: NDArray[np.uint8]) -> float:
    width = max(1, round(image.shape[1] * PROBE_HEIGHT / image.shape[0]))
    probe = cv2.resize(image, (width, PROBE_HEIGHT), interpolation=cv2.INTER_AREA)
    return math.log2(1 + float(cv2.Laplacian(probe, cv2.CV_32F).var()))
