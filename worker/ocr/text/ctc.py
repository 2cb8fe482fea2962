"""CTC greedy decoding, and the one definition of confidence.

Confidence of a character: the highest softmax probability at its peak frame, the frame of the character's run where
that is highest, put through the calibration in the model's card; 0..1. The label with that probability is the
character's own, but where the n-gram outvoted the network: the character is then as sure as what it replaced.
Confidence of a word, line, page or document: the plain mean over all its characters (`mean_confidence`); spaces count
in a line, not in a word. No character, no confidence: None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import charset as spelling
from models.calibration import IDENTITY, Calibration
from models.charset import BLANK, Charset
from models.finite import require_finite
from models.frames import Frames


@dataclass(frozen=True)
class BestPath:
    """The likeliest label of each frame.

    labels: (T,) int32, 0 = blank.
    confidences: (T,) float32, highest softmax probability of the frame, 0..1; left at 0 on blank frames, which nobody
        reads.
    raw_labels: (T,) int32, before the n-gram was heard; the same array where it changed nothing.
    """

    labels: NDArray[np.int32]
    confidences: NDArray[np.float32]
    raw_labels: NDArray[np.int32]

    @property
    def is_raw(self) -> bool:
        """Whether the n-gram changed nothing."""
        return self.labels is self.raw_labels


@dataclass(frozen=True)
class Peak:
    """One decoded character. first, last: frames of its run, both inclusive, 0-based; confidence: 0..1."""

    text: str
    confidence: float
    first: int
    last: int


def best_path(frames: Frames) -> BestPath:
    """Return the likeliest label of each frame. The softmax is taken only where a character is seen.

    Raises:
        ArithmeticError: a logit is infinite, or is no number.
    """
    labels = np.full(frames.count, BLANK, np.int32)
    best = frames.logits.argmax(axis=1)  # of what is no number, where there is such
    require_finite(frames.logits[np.arange(len(best)), best], "a line of this document")
    labels[frames.heard] = best
    return BestPath(labels, probabilities(frames, labels), labels)


def probabilities(frames: Frames, labels: NDArray[np.int32]) -> NDArray[np.float32]:
    """The highest softmax probability of each frame, (T,) float32; 0 where (T,) labels are blank."""
    found = np.zeros(len(labels), np.float32)
    seen = np.flatnonzero(labels != BLANK)
    if len(seen):
        found[seen] = probabilities_at(frames, seen)
    return found


def probabilities_at(frames: Frames, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """The highest softmax probability of some frames, (N,) -> (N,) float32."""
    rows = frames.at(chosen)
    rows -= rows.max(axis=1, keepdims=True)
    return np.asarray(1.0 / np.exp(rows, out=rows).sum(axis=1), np.float32)


def join_paths(paths: Sequence[BestPath]) -> BestPath:
    """Put the paths of the pieces of one long line together."""
    if len(paths) == 1:
        return paths[0]
    labels, confidences, raw = (
        np.concatenate(arrays)
        for arrays in zip(*((path.labels, path.confidences, path.raw_labels) for path in paths), strict=True)
    )
    return BestPath(labels, confidences, labels if all(path.is_raw for path in paths) else raw)


def decode(path: BestPath, charset: Charset, calibration: Calibration = IDENTITY) -> list[Peak]:
    """Merge repeats, drop blanks, and drop the spaces that the rules of spelling do not keep."""
    peaks = _peaks(path, charset, calibration)
    text = "".join(peak.text for peak in peaks)
    kept = [peak for peak, keep in zip(peaks, spelling.kept(text), strict=True) if keep]
    spelled = spelling.spell("".join(peak.text for peak in kept))
    return [Peak(text, p.confidence, p.first, p.last) for text, p in zip(spelled, kept, strict=True)]


def raw_text(path: BestPath, charset: Charset) -> str:
    """What the network alone read, by the same rules of spelling."""
    text = spelling.unify(charset.decode(find_runs(path.raw_labels).labels.tolist()))
    return spelling.spell(spelling.tidy_spaces(text))


class Runs(NamedTuple):
    """Neighbouring frames with one label, blanks left out; (N,) int64 each. firsts, lasts: frames, both inclusive."""

    firsts: NDArray[np.int64]
    lasts: NDArray[np.int64]
    labels: NDArray[np.int64]


def find_runs(labels: NDArray[np.int32]) -> Runs:
    """The runs in (T,) labels."""
    edges = np.flatnonzero(labels[1:] != labels[:-1]) + 1
    firsts = np.concatenate([[0], edges]) if len(labels) else edges
    lasts = np.append(edges, len(labels)) - 1 if len(labels) else edges
    seen = labels[firsts] != BLANK
    firsts = firsts[seen]
    return Runs(firsts, lasts[seen], labels[firsts].astype(np.int64))


def peak_confidences(path: BestPath, runs: Runs) -> NDArray[np.float32]:
    """The highest confidence in each run of a path, (N,) float32."""
    if not len(runs.firsts):
        return np.zeros(0, np.float32)
    return np.maximum.reduceat(path.confidences, runs.firsts)  # a run ends before the next; blanks between count 0


def _peaks(path: BestPath, charset: Charset, calibration: Calibration) -> list[Peak]:
    runs = find_runs(path.labels)
    text = spelling.unify(charset.decode(runs.labels.tolist()))
    confidences = calibration.apply(text, peak_confidences(path, runs)).tolist()
    rows = zip(text, confidences, runs.firsts.tolist(), runs.lasts.tolist(), strict=True)
    return [Peak(*row) for row in rows]
