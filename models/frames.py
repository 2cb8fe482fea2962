"""What a recogniser says of the frames of one line: logits where a character may stand, nothing where none does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.charset import BLANK

SURELY = 30.0  # logits that the blank is ahead of everything on a frame that is surely blank


@dataclass(frozen=True)
class Frames:
    """The frames of one line.

    count: how many there are, T.
    heard: (K,) int64, rising: those that may hold a character; the others are blank.
    logits: (K, C) float32 of those.
    """

    count: int
    heard: NDArray[np.int64]
    logits: NDArray[np.float32]

    @classmethod
    def of(cls, logits: NDArray[np.float32]) -> Frames:
        """All frames of (T, C) float32 logits, none of which is taken for surely blank."""
        return cls(len(logits), np.arange(len(logits)), logits)

    def part(self, own: slice) -> Frames:
        """The frames in a slice with a step of 1, counted from its start."""
        start, end, _ = own.indices(self.count)
        first, last = np.searchsorted(self.heard, (start, end))
        return Frames(max(0, end - start), self.heard[first:last] - start, self.logits[first:last])

    def at(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """(N,) frames -> (N, C) float32 logits, also of frames that are surely blank."""
        if len(self.heard) == self.count:
            return self.logits[frames]
        places = np.minimum(np.searchsorted(self.heard, frames), max(0, len(self.heard) - 1))
        is_heard = self.heard[places] == frames if len(self.heard) else np.zeros(len(frames), np.bool_)
        if is_heard.all():
            return self.logits[places]
        found = np.full((len(frames), self.logits.shape[1]), -SURELY, np.float32)
        found[:, BLANK] = 0.0
        found[is_heard] = self.logits[places[is_heard]]
        return found

    def dense(self) -> NDArray[np.float32]:
        """(T, C) float32 logits of all frames."""
        return self.at(np.arange(self.count))
