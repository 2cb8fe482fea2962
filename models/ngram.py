"""A character n-gram: how well a character follows the ones before it. Read-only, a few megabytes, made by training.

The grams form a trie in reading order. Level n holds, for each kept gram of n characters, its last character, the
probability of that one after the others, the weight that is due when something unknown follows, and where its
continuations start in level n + 1. Probabilities are bytes: -log p in steps of `STEP`.
"""

from __future__ import annotations

import bisect
import functools
import pathlib
import zipfile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.card import ModelFileError, sha256_of
from models.charset import BLANK, Charset

FILE_NAME: Final = "ngram.npz"
STEP: Final = 1 / 16  # of a natural logarithm; a byte reaches to e**-16
CACHED: Final = 1 << 14

History = tuple[int, ...]  # labels of the file, oldest first, at most order - 1; 0 is the start of a line
START: Final[History] = (BLANK,)


class Ngram:
    """One loaded n-gram, bound to the labels of one recogniser.

    Attributes:
        sha256: of the file, hex.
        order: characters in the longest gram.
        weight: what the search multiplies `score` with; chosen for the recogniser.
        label_of: the file's label for each of the recogniser's, -1 for those it does not know.
        score: (history, label) -> log p(label | history) - log p(label): above 0 where the history speaks for the
            label, 0 where nothing is known.
    """

    def __init__(self, path: pathlib.Path, charset: Charset) -> None:
        """Load `path`; characters that it does not know are neither likely nor unlikely.

        Raises:
            ModelFileError: it is no such file.
        """
        try:
            self.sha256 = sha256_of(path)
            with np.load(path, allow_pickle=False) as arrays:
                self._read(arrays, charset)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise ModelFileError(
                f"{path} is no n-gram that can be used: {error!r}. Remove it, or build it with models.training.ngram."
            ) from error

    def _read(self, arrays: np.lib.npyio.NpzFile, charset: Charset) -> None:
        self.weight = float(arrays["weight"])
        self.order = int(arrays["order"])
        labels = Charset(str(arrays["characters"])).labels
        self.label_of = [BLANK, *(labels.get(character, -1) for character in charset.characters)]
        self._alone: list[float] = arrays["alone"].tolist()  # log p of each label by itself
        self._level: list[tuple[memoryview, memoryview]] = []  # by length - 1: last labels, costs in steps
        self._inner: list[
            tuple[memoryview, memoryview]
        ] = []  # by length - 1: starts of continuations, backoff in steps
        for length in range(1, self.order + 1):
            self._level.append((_view(arrays[f"labels{length}"]), _view(arrays[f"costs{length}"])))
            if length < self.order:
                self._inner.append((_view(arrays[f"starts{length}"]), _view(arrays[f"backoffs{length}"])))
        self.score = functools.lru_cache(CACHED)(self._score)
        self._contexts = functools.lru_cache(CACHED)(self._find_contexts)

    def extend(self, history: History, label: int) -> History:
        """`history` with the file's `label` behind it, cut to what matters."""
        return (*history, label)[1 - self.order :] if label >= 0 else ()

    def _score(self, history: History, label: int) -> float:
        """See `score`."""
        if label < 0:
            return 0.0
        backoff = 0
        for length, first, last, weight in self._contexts(history):
            labels, costs = self._level[length]
            at = bisect.bisect_left(labels, label, first, last)
            if at < last and labels[at] == label:
                return -STEP * (costs[at] + backoff) - self._alone[label]
            backoff += weight
        return -STEP * backoff

    def _find_contexts(self, history: History) -> tuple[tuple[int, int, int, int], ...]:
        """Suffixes of `history` that are known, longest first: (length, first and last continuation, backoff)."""
        found = []
        for start in range(len(history)):
            node = self._find(history[start:])
            if node is not None:
                starts, backoffs = self._inner[len(history) - start - 1]
                found.append((len(history) - start, starts[node], starts[node + 1], backoffs[node]))
        return tuple(found)

    def _find(self, gram: History) -> int | None:
        """Index of `gram` in its level."""
        first, last = 0, len(self._level[0][0])
        node = None
        for length, label in enumerate(gram):
            labels = self._level[length][0]
            node = bisect.bisect_left(labels, label, first, last)
            if node == last or labels[node] != label:
                return None
            if length < self.order - 1:
                starts = self._inner[length][0]
                first, last = starts[node], starts[node + 1]
        return node


def _view(array: NDArray[Any]) -> memoryview:
    """The array as something that hands out plain integers, which is quicker than numpy's."""
    return memoryview(np.ascontiguousarray(array).data)


def as_costs(log_probabilities: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Natural logarithms of probabilities, 0 or below -> bytes."""
    return np.clip(np.rint(-log_probabilities / STEP), 0, 255).astype(np.uint8)
