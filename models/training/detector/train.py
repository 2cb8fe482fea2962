"""Train the text detector on pages composed while it learns.

    python -m models.training.detector.train build/training --minutes 45
    python -m models.training.detector.train build/training --minutes 45 --resume      # any number of times
    python -m models.training.detector.export build/training

The folder is the one that the recogniser's training uses: fetch_packages and corpus fill it.
"""

from __future__ import annotations

import argparse
import copy
import os
import pathlib
import sys
import time
from typing import Any

import cv2
import torch

from models.detector import DEFAULT
from models.recognizer import WEIGHTS
from models.training.detector.examples import BATCH, SIDE, PageSource, batches
from models.training.detector.losses import detector_loss
from models.training.detector.network import Detector
from models.training.train import CLIP, MALLOC, follow, rate

CHECKPOINT = "detector.pt"
CHECKPOINT_SECONDS = 180
LEARNING_RATE = 3e-3
POOL = 400


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the text detector on composed pages.")
    parser.add_argument("folder", type=pathlib.Path, help=f"holds root/ and corpus/; {CHECKPOINT} is written here")
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--side", type=int, default=SIDE, help="px of the square pages")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--pool", type=int, default=POOL, help="line inks to compose with")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--resume", action="store_true", help=f"go on from {CHECKPOINT}, or without one from --weights")
    parser.add_argument(
        "--weights", type=pathlib.Path, default=WEIGHTS / DEFAULT / "weights.pt", help="published weights"
    )
    return parser.parse_args()


def train(args: argparse.Namespace) -> None:
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(args.seed)
    network = Detector().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), lr=args.learning_rate, weight_decay=1e-3)
    checkpoint = args.folder / CHECKPOINT
    state: dict[str, Any] = {"pages": 0, "minutes": 0.0}
    if args.resume:
        state = torch.load(checkpoint if checkpoint.exists() else args.weights, weights_only=True)
        network.load_state_dict(state.get("network", state["average"]))
        average.load_state_dict(state["average"])
        if "optimizer" in state:
            optimizer.load_state_dict(state["optimizer"])
    pages, minutes = state["pages"], state["minutes"]
    source = batches(PageSource(args.folder, args.seed, args.side, args.pool), args.batch)
    start = saved = time.monotonic()
    step, running, share = 0, 0.0, 0.0
    while share < 1.0:
        share = (time.monotonic() - start) / (60 * args.minutes)
        for group in optimizer.param_groups:
            group["lr"] = rate(share, step, args.learning_rate)
        batch = next(source)
        with torch.autocast("cpu", torch.bfloat16):
            maps = network(batch.pages.contiguous(memory_format=torch.channels_last))
        loss = detector_loss(maps, batch.kernel, batch.edges, batch.weight)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        follow(average, network, step)
        step, pages = step + 1, pages + args.batch
        running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
        if step % 50 == 0:
            print(f"step {step} share {share:.3f} loss {running:.4f} pages {pages}", flush=True)
        if share >= 1.0 or time.monotonic() - saved > CHECKPOINT_SECONDS:
            saved = time.monotonic()
            state = {
                "network": network.state_dict(), "average": average.state_dict(), "optimizer": optimizer.state_dict(),
                "pages": pages, "minutes": minutes + (saved - start) / 60,
            }  # fmt: skip
            torch.save(state, f"{checkpoint}.new")
            os.replace(f"{checkpoint}.new", checkpoint)
            print(f"checkpoint at {state['minutes']:.1f} min, {pages} pages", flush=True)


def main() -> None:
    args = options()
    if any(name not in os.environ for name in MALLOC):
        command = [sys.executable, "-m", "models.training.detector.train", *sys.argv[1:]]
        os.execve(sys.executable, command, {**os.environ, **MALLOC})
    train(args)


if __name__ == "__main__":
    main()
