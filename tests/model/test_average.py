from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _torch(torch_or_skip: None) -> None:
    """All of this needs PyTorch."""


def state(weight: float, count: int, characters: str = "ab") -> dict[str, Any]:
    import torch

    weights = {"head.weight": torch.full((2, 3), weight, dtype=torch.float16), "norm.batches": torch.tensor(count)}
    return {"characters": characters, "average": weights}


def test_weights_are_averaged_in_full_precision_and_counts_are_the_last_ones() -> None:
    import torch

    from models.training.average import mean_of

    mean = mean_of([state(1.0, 5), state(2.0, 6), state(6.0, 7)])
    assert mean["head.weight"].dtype == torch.float32
    assert torch.equal(mean["head.weight"], torch.full((2, 3), 3.0))
    assert mean["norm.batches"] == 7


def test_weights_of_other_characters_are_not_averaged() -> None:
    from models.training.average import mean_of

    with pytest.raises(ValueError, match="different characters"):
        mean_of([state(1.0, 5), state(2.0, 6, "abc")])
