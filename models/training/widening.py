"""Weights of a narrower charset in a wider network: what was learned stays, what is new starts as an average class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

SEED = 0
NOISE = 0.3
"""Of the deviation of the known rows: new classes must differ from each other, and disturb nobody at the start."""

HEAD = ("head.weight", "head.bias")


def rows_of(characters: Sequence[str], known: Sequence[str]) -> Tensor:
    """Row of each class in the head of `known`, (len(characters) + 1,) int64; row 0 is the blank, -1 what is new."""
    places = {character: row for row, character in enumerate(known, 1)}
    return torch.tensor([0, *(places.get(character, -1) for character in characters)])


def widen(state: dict[str, Tensor], known: Sequence[str], characters: Sequence[str]) -> dict[str, Tensor]:
    """`state` of a network that knows `known`, for one that is to know `characters`.

    Args:
        state: as `network.state_dict()`; head.weight (len(known) + 1, D), head.bias (len(known) + 1,).
        known: characters in the order of the rows.
        characters: the new order; those out of `known` get rows near the mean of all rows.

    Returns:
        A state with head.weight (len(characters) + 1, D) and head.bias (len(characters) + 1,); the rest is the same.
    """
    rows = rows_of(characters, known)
    generator = torch.Generator().manual_seed(SEED)
    wider = dict(state)
    for name in HEAD:
        old = state[name].float()
        fresh = torch.randn((len(rows), *old.shape[1:]), generator=generator) * NOISE * old[1:].std(0) + old[1:].mean(0)
        fresh[rows >= 0] = old[rows[rows >= 0]]
        wider[name] = fresh.to(state[name].dtype)
    return wider
