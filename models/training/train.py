"""Train the CRNN on lines rendered while it learns.

    python -m models.training.fetch_packages build/training
    python -m models.training.corpus build/training
    python -m models.training.train build/training --minutes 75
    python -m models.training.train build/training --minutes 90 --resume      # any number of times
    python -m models.training.export build/training crnn-zh-en --version 20261120.1

Stage 1 (first run, `--warm-share` of its time): cross-entropy at character centres, which the renderer knows.
Stage 2: CTC. The learning rate follows the clock, so a run ends when it says. `--ranks 2` trains a process per core and
averages gradients, which other work on the machine disturbs less than two threads in one process.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import pathlib
import sys
import time
from typing import Any, get_args

import cv2
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from models.charset import Charset
from models.network import CRNN
from models.recognizer import DEFAULT, WEIGHTS
from models.training.batches import batches
from models.training.characters import all_characters
from models.training.drawing.render import LineRenderer
from models.training.evaluate import guard_error_rate, guard_lines
from models.training.losses import aligned_cross_entropy, ctc
from models.training.texts.text import Lean
from models.training.widening import widen

LEARNING_RATE = 2e-3
WARM_UP_STEPS = 200
FINAL_SHARE = 0.01
CLIP = 2.0
EMA_DECAY = 0.999
CHECKPOINT_SECONDS = 240
LONGEST_STEP = 10.0
"""Seconds of one step that count, so that a run that was stopped for a while (SIGSTOP) still ends at a low rate."""
# glibc gives every large activation back to the kernel and faults it in again, each step; this keeps it (+60 % lines/s)
MALLOC = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "268435456"}


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the CRNN on rendered lines.")
    parser.add_argument("folder", type=pathlib.Path, help="holds root/ and corpus/; checkpoint.pt is written here")
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument(
        "--warm-share", type=float, default=0.3, help="share of the first run spent on the aligned warm start"
    )
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    parser.add_argument("--head-rate", type=float, default=1.0, help="the head's learning rate as a share of it")
    parser.add_argument("--guard-lines", type=int, default=300, help="lines to measure the CER on at a checkpoint")
    parser.add_argument(
        "--lean", nargs="+", choices=get_args(Lean), default=get_args(Lean), help="what is drawn more often"
    )
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--resume", action="store_true", help="go on from checkpoint.pt, or without one from --weights, with CTC only"
    )
    parser.add_argument(
        "--weights", type=pathlib.Path, default=WEIGHTS / DEFAULT / "weights.pt", help="published weights"
    )
    return parser.parse_args()


def has_quick_bfloat16(cpuinfo: pathlib.Path = pathlib.Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16: with AVX-512 1.3 times the lines; else a step takes twice as long."""
    return cpuinfo.exists() and any(sign in cpuinfo.read_text("utf-8") for sign in ("amx_bf16", "avx512_bf16"))


def rate(share: float, step: int, peak: float) -> float:
    """Learning rate at `share` (0..1) of the run: short warm-up by steps, cosine by time."""
    return (
        peak
        * min(1.0, (step + 1) / WARM_UP_STEPS)
        * (FINAL_SHARE + (1 - FINAL_SHARE) * (1 + math.cos(math.pi * min(1.0, share))) / 2)
    )


def optimizer_for(network: CRNN, head_rate: float = 1.0) -> torch.optim.AdamW:
    """AdamW, without decay of biases and norms; the head learns at `head_rate` times the rate of the rest.

    Adam makes steps of the same length of small slopes and large ones, so that the classes of rare characters, which
    see little else than what other characters push them away with, wander off in a run that goes on from good weights.
    """
    head = set(network.head.parameters())
    body = [value for value in network.parameters() if value not in head]
    groups = [
        {"params": [value for value in values if (value.dim() > 1) is matrix], "weight_decay": decay, "rate": share}
        for values, share in ((body, 1.0), (list(head), head_rate))
        for matrix, decay in ((True, 1e-2), (False, 0.0))
    ]
    return torch.optim.AdamW(groups, lr=LEARNING_RATE, betas=(0.9, 0.98))


def go_on(
    state: dict[str, Any], characters: list[str], network: CRNN, average: CRNN, optimizer: torch.optim.AdamW
) -> None:
    """Load a checkpoint or published weights; a grown charset widens the head and starts the optimizer anew."""
    known = list(state["characters"])
    for module, weights in ((network, state.get("network", state["average"])), (average, state["average"])):
        module.load_state_dict(weights if known == characters else widen(weights, known, characters))
    if "optimizer" in state and known == characters:
        optimizer.load_state_dict(state["optimizer"])


def average_gradients(network: CRNN, ranks: int) -> None:
    """One all-reduce over one flat buffer."""
    if ranks == 1:
        return
    gradients = [value.grad for value in network.parameters() if value.grad is not None]
    flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
    dist.all_reduce(flat)
    flat /= ranks
    for gradient, mean in zip(gradients, flat.split([one.numel() for one in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


@torch.no_grad()
def follow(average: CRNN, network: CRNN, step: int) -> None:
    """Exponential moving average of the weights; the statistics of batch norm are averages already."""
    decay = min(EMA_DECAY, (1 + step) / (10 + step))
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
    for kept, latest in zip(average.buffers(), network.buffers(), strict=True):
        kept.copy_(latest)


def train(rank: int, args: argparse.Namespace) -> None:
    torch.set_num_threads(1 if args.ranks > 1 else os.cpu_count() or 1)
    cv2.setNumThreads(1)
    if args.ranks > 1:
        dist.init_process_group(
            "gloo", init_method=f"file://{args.folder.absolute()}/rendezvous", rank=rank, world_size=args.ranks
        )
    characters = all_characters(args.folder / "root")
    charset = Charset(characters)
    torch.manual_seed(0)
    network = CRNN(len(charset)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    average = copy.deepcopy(network)
    optimizer = optimizer_for(network, args.head_rate)
    checkpoint, lines_before, minutes_before = args.folder / "checkpoint.pt", 0, 0.0
    if args.resume:
        state = torch.load(checkpoint if checkpoint.exists() else args.weights, weights_only=True)
        go_on(state, characters, network, average, optimizer)
        lines_before, minutes_before = state["lines"], state["minutes"]
    seed = args.seed * args.ranks + rank
    renderer = LineRenderer(args.folder, characters, seed)
    renderer.sampler.lean(*args.lean)
    source = batches(renderer, charset, seed)
    guard = guard_lines(LineRenderer(args.folder, characters, 1), args.guard_lines) if rank == 0 else []
    warm_share = 0.0 if args.resume else args.warm_share
    saved = before = time.monotonic()
    spent, clock, short = 0.0, torch.zeros(1), has_quick_bfloat16()
    step, lines, running = 0, 0, 0.0
    while True:
        now = time.monotonic()
        spent, before = spent + min(LONGEST_STEP, now - before), now
        clock[0] = spent / (60 * args.minutes)
        if args.ranks > 1:
            dist.broadcast(clock, 0)  # every rank takes the same branch
        share = clock.item()
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * rate(share, step, args.learning_rate)
        batch = next(source)
        with torch.autocast("cpu", torch.bfloat16, enabled=short):
            frames = network.frames(batch.lines.contiguous(memory_format=torch.channels_last))
            if share < warm_share:
                loss = slope = aligned_cross_entropy(network.head, frames, batch.frame_targets)
            else:
                loss, slope = ctc(network.head, frames, batch.labels, batch.frame_counts, batch.label_counts)
        optimizer.zero_grad()
        slope.backward()
        average_gradients(network, args.ranks)
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        follow(average, network, step)
        step, lines = step + 1, lines + len(batch.lines) * args.ranks
        running = loss.item() if step == 1 else 0.98 * running + 0.02 * loss.item()
        if rank == 0 and step % 100 == 0:
            pace = lines / spent
            print(
                f"step {step} share {share:.3f} loss {running:.4f} lines {lines_before + lines} pace {pace:.0f}/s",
                flush=True,
            )
        done = share >= 1.0
        if rank == 0 and (done or time.monotonic() - saved > CHECKPOINT_SECONDS):
            saved = time.monotonic()
            minutes = minutes_before + spent / 60
            state = {
                "network": network.state_dict(),
                "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
            }
            torch.save(
                state | {"lines": lines_before + lines, "minutes": minutes, "characters": "".join(characters)},
                f"{checkpoint}.new",
            )
            os.replace(f"{checkpoint}.new", checkpoint)
            print(
                f"checkpoint at {minutes:.1f} min, guard CER {guard_error_rate(average, charset, guard):.4f}",
                flush=True,
            )
        if done:
            return


def main() -> None:
    args = options()
    if any(name not in os.environ for name in MALLOC):
        os.execve(
            sys.executable, [sys.executable, "-m", "models.training.train", *sys.argv[1:]], {**os.environ, **MALLOC}
        )
    (args.folder / "rendezvous").unlink(missing_ok=True)
    if args.ranks == 1:
        train(0, args)
    else:
        mp.spawn(train, (args,), args.ranks)


if __name__ == "__main__":
    main()
