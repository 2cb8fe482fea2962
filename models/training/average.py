"""Average the weights of several states of one run, which read better together than the last of them alone.

    python -m models.training.average build/training models/weights/crnn-zh-en/weights.pt build/training/checkpoint.pt
    python -m models.training.export build/training crnn-zh-en --checkpoint averaged.pt

Writes build/training/averaged.pt. The states lie around a place that none of them reaches; what each has learned of its
own beside it (another order of lines, the last rate) averages out. The statistics of batch norm are those of no
network any more, so they are counted anew over rendered lines.

Source: Izmailov, Podoprikhin, Garipov, Vetrov, Wilson, "Averaging Weights Leads to Wider Optima and Better
Generalization", 2018.
"""

from __future__ import annotations

import argparse
import itertools
import pathlib
from collections.abc import Sequence
from typing import Any

import torch
from torch.optim.swa_utils import update_bn

from models.charset import Charset
from models.training.batches import batches
from models.training.drawing.render import LineRenderer
from models.training.export import network_from

BATCHES = 150  # of rendered lines, about 6,400 columns of pixels each, for the statistics
SEED = 91


def mean_of(states: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """The mean of the averaged weights of checkpoints.

    Raises:
        ValueError: they do not know the same characters.
    """
    if len({state["characters"] for state in states}) != 1:
        raise ValueError("the files know different characters; let a run go on from the older one first")
    weights = [state["average"] for state in states]
    return {
        name: torch.stack([one[name].float() for one in weights]).mean(0) if value.is_floating_point() else value
        for name, value in weights[-1].items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Average checkpoints of one run.")
    parser.add_argument("folder", type=pathlib.Path, help="the training folder")
    parser.add_argument(
        "files", type=pathlib.Path, nargs="+", help="checkpoints or published weights, the last one last"
    )
    args = parser.parse_args()
    states = [torch.load(path, weights_only=True) for path in args.files]
    try:
        mean = mean_of(states)
    except ValueError as error:
        raise SystemExit(f"Nothing was averaged: {error}.") from error
    last = states[-1]
    charset = Charset(list(last["characters"]))
    network = network_from(mean, len(charset))
    renderer = LineRenderer(args.folder, list(charset.characters), SEED)
    source = itertools.islice(batches(renderer, charset, SEED), BATCHES)
    update_bn((batch.lines for batch in source), network.features)
    state = {name: last[name] for name in ("characters", "lines", "minutes")}
    torch.save(state | {"average": network.state_dict()}, args.folder / "averaged.pt")
    print(f"averaged {len(states)} states: {args.folder / 'averaged.pt'}")


if __name__ == "__main__":
    main()
