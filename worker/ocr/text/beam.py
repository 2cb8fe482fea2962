"""A search over the frames that a line is not sure of, with the n-gram's opinion beside the network's.

Tokens are passed from frame to frame. Two tokens with the same recent characters have the same future, so only the
better one goes on: after a few sure characters one is left, and what is sure costs next to nothing.

Source: Young, Russell, Thornton, "Token passing", 1989; the n-gram counts as log p(c | before) - log p(c), which says
nothing for or against rare characters (a density ratio: McDermott, Sak, Variani, 2019).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.charset import BLANK
from models.ngram import START, History, Ngram

CUT = 6.0  # logits below the best of its frame: what lies lower is no candidate
CANDIDATES = 5  # of a frame
TOKENS = 6  # that live at a frame
DISTANCE = 6.0  # a token further behind the best is dropped

Candidates = Sequence[tuple[int, float]]
"""Labels of one frame, each with its logit minus the best one's."""


Taken = Any
"""The labels that were taken at the open frames, last first: (label, taken before), or None."""

Tokens = dict[tuple[History, int], tuple[float, Taken]]
"""Score and labels, by what decides the future: the characters that the n-gram heeds, and the label of the frame."""


def candidates(logits: NDArray[np.float32]) -> list[Candidates]:
    """The likely labels of (N, C) float32 frames, likeliest first."""
    best = logits.max(axis=1)
    frames, labels = np.divmod(np.flatnonzero(logits > (best - CUT)[:, None]), logits.shape[1])
    below = logits[frames, labels] - best[frames]
    order = np.lexsort((-below, frames))
    rows = list(zip(labels[order].tolist(), below[order].tolist(), strict=True))
    ends = np.searchsorted(frames, np.arange(len(logits) + 1)).tolist()
    return [rows[start : min(end, start + CANDIDATES)] for start, end in pairwise(ends)]


def search(
    labels: NDArray[np.int32], choices: dict[int, Candidates], ngram: Ngram, label_of: Sequence[int]
) -> NDArray[np.int32]:
    """Choose anew at the open frames.

    Args:
        labels: (T,) the best label of each frame; those of the other frames stay.
        choices: The candidates of the open frames.
        ngram: Says what follows what.
        label_of: The n-gram's label for each label here, -1 where it has none.

    Returns:
        (T,) int32, the likeliest path.
    """
    tokens: Tokens = {(START, BLANK): (0.0, None)}
    before = -1
    for frame, label in enumerate(labels.tolist()):
        choice = choices.get(frame)
        if choice is not None:
            before = -1
            tokens = _prune(_pass(tokens, choice, ngram, label_of))
        elif label != before:
            before = label
            tokens = _follow(tokens, label, ngram, label_of)
    _, taken = max(tokens.values(), key=lambda token: token[0])
    path = labels.copy()
    for frame in sorted(choices, reverse=True):
        path[frame], taken = taken
    return path


def _follow(tokens: Tokens, label: int, ngram: Ngram, label_of: Sequence[int]) -> Tokens:
    """The tokens after a frame that is not open. A single one needs no score: nothing competes with it."""
    is_alone = len(tokens) == 1
    after: Tokens = {}
    for (history, last), (score, taken) in tokens.items():
        total, longer = score, history
        if label not in (BLANK, last):
            known = label_of[label]
            total += 0.0 if is_alone else ngram.weight * ngram.score(history, known)
            longer = ngram.extend(history, known)
        key = (longer, label)
        rival = after.get(key)
        if rival is None or rival[0] < total:
            after[key] = (total, taken)
    return after


def _pass(tokens: Tokens, choice: Candidates, ngram: Ngram, label_of: Sequence[int]) -> Tokens:
    """The tokens after an open frame; of those that meet, the better one."""
    after: Tokens = {}
    weight, score_of = ngram.weight, ngram.score
    for (history, last), (score, taken) in tokens.items():
        for label, logit in choice:
            total, longer = score + logit, history
            if label not in (BLANK, last):
                known = label_of[label]
                total += weight * score_of(history, known)
                longer = ngram.extend(history, known)
            key = (longer, label)
            rival = after.get(key)
            if rival is None or rival[0] < total:
                after[key] = (total, (label, taken))
    return after


def _prune(tokens: Tokens) -> Tokens:
    if len(tokens) == 1:
        return tokens
    least = max(score for score, _ in tokens.values()) - DISTANCE
    near = {key: token for key, token in tokens.items() if token[0] > least}
    if len(near) <= TOKENS:
        return near
    return dict(sorted(near.items(), key=lambda item: -item[1][0])[:TOKENS])
