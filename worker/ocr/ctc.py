"""CTC greedy decoding, and the one definition of confidence.

Confidence of a character: the softmax probability of its label at its peak frame, the frame of the character's run
where that probability is highest; 0..1. Confidence of a word, line, page or document: the plain mean over all its
characters (`mean_confidence`); spaces count in a line, not in a word. No character, no confidence: None.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import charset as spelling
from models.charset import BLANK, Charset


@dataclass(frozen=True)
class BestPath:
    """The likeliest label of each frame.

    labels: (T,) int32, 0 = blank.
    confidences: (T,) float32, softmax probability of that label, 0..1; left at 0 on blank frames, which nobody reads.
    """

    labels: NDArray[np.int32]
    confidences: NDArray[np.float32]


@dataclass(frozen=True)
class Peak:
    """One decoded character. first, last: frames of its run, both inclusive, 0-based; confidence: 0..1."""

    text: str
    confidence: float
    first: int
    last: int


def best_path(logits: NDArray[np.float32]) -> BestPath:
    """Return the likeliest labels of (T, C) float32 logits. The softmax is taken only where a character is seen."""
    labels = logits.argmax(axis=1).astype(np.int32)
    confidences = np.zeros(len(labels), np.float32)
    seen = np.flatnonzero(labels != BLANK)
    if len(seen):
        rows = logits[seen]
        top = rows.max(axis=1, keepdims=True)
        confidences[seen] = 1.0 / np.exp(rows - top).sum(axis=1)
    return BestPath(labels, confidences)


def join_paths(paths: Sequence[BestPath]) -> BestPath:
    """Put the paths of the pieces of one long line together."""
    return BestPath(np.concatenate([p.labels for p in paths]), np.concatenate([p.confidences for p in paths]))


def decode(path: BestPath, charset: Charset) -> list[Peak]:
    """Merge repeats, drop blanks, and drop the spaces that the rules of spelling do not keep."""
    peaks = _peaks(path, charset)
    text = "".join(peak.text for peak in peaks)
    kept = [peak for peak, keep in zip(peaks, spelling.kept(text), strict=True) if keep]
    spelled = spelling.widen_punctuation("".join(peak.text for peak in kept))
    return [Peak(text, p.confidence, p.first, p.last) for text, p in zip(spelled, kept, strict=True)]


def _peaks(path: BestPath, charset: Charset) -> list[Peak]:
    starts = np.flatnonzero(np.diff(path.labels, prepend=-1))
    ends = np.append(starts, len(path.labels))[1:]
    return [
        Peak(charset.decode([label]), float(path.confidences[a:b].max()), int(a), int(b) - 1)
        for a, b, label in zip(starts, ends, path.labels[starts].tolist(), strict=True)
        if label != BLANK
    ]


def mean_confidence(confidences: Iterable[float]) -> float | None:
    """Return the mean of characters' confidences, 0..1, or None of none."""
    values = list(confidences)
    return sum(values) / len(values) if values else None
