"""A network that learns more characters keeps what it knew."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _torch(torch_or_skip: None) -> None:
    """All of this needs PyTorch."""


def test_a_wider_head_keeps_the_rows_of_known_characters_and_of_the_blank() -> None:
    import torch

    from models.training.widening import widen

    state = {"head.weight": torch.randn(4, 8), "head.bias": torch.randn(4), "bottleneck.bias": torch.randn(8)}
    wider = widen(state, "abc", "caΩb℃")
    assert wider["head.weight"].shape == (6, 8) and wider["head.bias"].shape == (6,)
    for row, old in ((0, 0), (1, 3), (2, 1), (4, 2)):
        assert torch.equal(wider["head.weight"][row], state["head.weight"][old])
        assert wider["head.bias"][row] == state["head.bias"][old]
    assert wider["bottleneck.bias"] is state["bottleneck.bias"]


def test_new_rows_lie_near_the_mean_and_differ_from_each_other() -> None:
    import torch

    from models.training.widening import widen

    state = {"head.weight": torch.randn(400, 16).half(), "head.bias": torch.randn(400).half()}
    known = [chr(0x4E00 + place) for place in range(399)]
    fresh = widen(state, known, [*known, "Ω", "℃"])["head.weight"][400:]
    assert fresh.dtype == torch.float16
    assert (fresh - state["head.weight"][1:].mean(0)).abs().max() < 2
    assert not torch.equal(fresh[0], fresh[1])


def test_a_run_goes_on_from_weights_that_know_fewer_characters_and_from_its_own_checkpoint() -> None:
    import torch

    from models.network import CRNN
    from models.training.train import go_on, optimizer_for

    old = CRNN(4)
    state = {
        "average": old.state_dict(),
        "network": old.state_dict(),
        "optimizer": {"broken": True},
        "characters": "abc",
    }
    network, average = CRNN(5), CRNN(5)
    go_on(state, list("abcd"), network, average, optimizer_for(network))  # the old optimizer is left where it is
    assert torch.equal(network.head.weight, average.head.weight)
    assert torch.equal(network.head.weight[:4], old.head.weight)

    optimizer = optimizer_for(network)
    network(torch.zeros(1, 1, 32, 64)).sum().backward()
    optimizer.step()
    again = {"average": average.state_dict(), "network": network.state_dict(), "optimizer": optimizer.state_dict()}
    fresh = optimizer_for(average)
    go_on(again | {"characters": "abcd"}, list("abcd"), CRNN(5), average, fresh)
    assert fresh.state_dict()["state"]


def test_later_characters_stand_behind_those_that_shipped_weights_know(folder: Path) -> None:
    import torch

    from models.recognizer import DEFAULT, WEIGHTS
    from models.training.characters import ADDED, all_characters

    shipped = list(torch.load(WEIGHTS / DEFAULT / "weights.pt", weights_only=True)["characters"])
    characters = all_characters(folder / "root")
    assert characters[: len(shipped)] == shipped
    assert set(ADDED) <= set(characters[-len(ADDED) :])


def test_bfloat16_is_used_where_the_processor_multiplies_it(tmp_path: Path) -> None:
    from models.training.train import has_quick_bfloat16

    cpuinfo = tmp_path / "cpuinfo"
    assert not has_quick_bfloat16(cpuinfo)
    cpuinfo.write_text("flags : avx2 avx512f", "utf-8")
    assert not has_quick_bfloat16(cpuinfo)
    for sign in ("avx512_bf16", "amx_bf16"):
        cpuinfo.write_text(f"flags : avx512f {sign} fma", "utf-8")
        assert has_quick_bfloat16(cpuinfo)
