"""Logits to text: the charset that was asked for, the best path, the n-gram where it is unsure."""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.calibration import IDENTITY, Calibration
from models.charset import BLANK, CJK, Charset
from models.frames import Frames
from models.line_image import MARGIN
from models.ngram import Ngram
from shared.options import DEFAULT_CHARSET, CharsetName
from shared.result import mean_confidence
from worker.ocr.text import beam, ctc
from worker.ocr.text.ctc import BestPath, Peak
from worker.ocr.text.unsure import find_doubt, open_frames

NUMBER_SIGNS = ".,:/-+%"
CODE_SIGNS = ".-/"


def is_allowed(character: str, name: CharsetName) -> bool:
    """Whether `character` may be read under the named charset. The space always may: it parts numbers, too."""
    if name == "all" or character == " ":
        return True
    if name == "latin":
        return not CJK.match(character)
    if name == "alphanumeric":
        return (character.isascii() and character.isalnum()) or character in CODE_SIGNS
    return character in "0123456789" or character in NUMBER_SIGNS


@functools.lru_cache(16)
def allowed_labels(charset: Charset, name: CharsetName) -> NDArray[np.int32]:
    """Labels of the named charset in rising order, (K,) int32; the blank, 0, is always the first."""
    kept = [label for label, character in enumerate(charset.characters, 1) if is_allowed(character, name)]
    return np.array([BLANK, *kept], np.int32)


class Reading(NamedTuple):
    """One decoded line.

    raw_text: as the network alone would have it, before the n-gram was heard.
    frame_count: frames from the left to the right end of the line's image.
    margin: what the line's image has around the line on every side, as a share of the line's height.
    disputes: what two recognisers read differently and were both sure of, as edits.
    model: name of the recogniser.
    """

    peaks: list[Peak]
    raw_text: str
    frame_count: float = 0.0
    margin: float = MARGIN
    disputes: tuple[dict[str, Any], ...] = ()
    model: str = ""

    @property
    def text(self) -> str:
        """What was read."""
        return "".join(peak.text for peak in self.peaks)

    @property
    def confidence(self) -> float:
        """The mean over its characters, 0..1, 0 without any."""
        return mean_confidence(peak.confidence for peak in self.peaks) or 0.0


def edits(raw_text: str, text: str) -> tuple[dict[str, Any], ...]:
    """What became of a raw text: `start` is the place in `text`, 0-based; `from` or `to` may be empty."""
    if raw_text == text:
        return ()
    return tuple(
        {"kind": "language", "start": start, "from": raw_text[a:b], "to": text[start:end]}
        for tag, a, b, start, end in SequenceMatcher(None, raw_text, text, autojunk=False).get_opcodes()
        if tag != "equal"
    )


@dataclass(frozen=True)
class Decoder:
    """How the lines of one document are decoded.

    charset, calibration: of the model. ngram: None reads every line by its best path alone. allowed: what may be read.
    """

    charset: Charset
    calibration: Calibration = IDENTITY
    ngram: Ngram | None = None
    allowed: CharsetName = DEFAULT_CHARSET

    def read(self, frames: Frames) -> BestPath:
        """The path of one line or piece of a line. Not allowed labels have no probability."""
        if self.allowed == "all":
            return self._read(frames, None)
        labels = allowed_labels(self.charset, self.allowed)
        path = self._read(replace(frames, logits=frames.logits[:, labels]), labels)
        raw = labels[path.raw_labels]
        return BestPath(raw if path.is_raw else labels[path.labels], path.confidences, raw)

    def decode(self, path: BestPath) -> Reading:
        """The characters of one line."""
        peaks = ctc.decode(path, self.charset, self.calibration)
        text = "".join(peak.text for peak in peaks)
        return Reading(peaks, text if path.is_raw else ctc.raw_text(path, self.charset))

    def _read(self, heard: Frames, labels: NDArray[np.int32] | None) -> BestPath:
        """As `read`, of frames whose logits hold nothing but `labels`; None: all."""
        path = ctc.best_path(heard)
        if self.ngram is None:
            return path
        doubt = find_doubt(path, heard)
        if not doubt:
            return path
        own = doubt.runs.labels if labels is None else labels[doubt.runs.labels]
        frames = open_frames(doubt, path, self.charset.decode(own.tolist()))
        unsure = np.isin(heard.heard, frames)  # the others are surely blank
        candidates = zip(heard.heard[unsure].tolist(), beam.candidates(heard.logits[unsure]), strict=True)
        choices = {frame: labels for frame, labels in candidates if len(labels) > 1}
        if not choices:
            return path
        known = self.ngram.label_of
        label_of = known if labels is None else [known[label] for label in labels]
        chosen = beam.search(path.labels, choices, self.ngram, label_of)
        if np.array_equal(chosen, path.labels):
            return path
        confidences = path.confidences.copy()
        changed = np.flatnonzero(chosen != path.labels)
        confidences[changed] = np.where(chosen[changed] == BLANK, 0.0, ctc.probabilities_at(heard, changed))
        return BestPath(chosen, confidences, path.labels)
