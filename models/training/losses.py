"""The two losses of the recipe: cross-entropy at character centres, then CTC over a large charset at small cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.charset import BLANK

IGNORED = -1


def frame_targets(
    labels: list[int], centres: NDArray[np.float64], frames: int, total: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Targets for the aligned warm start.

    Args:
        labels: one label for each character.
        centres: middle of each character as a share (0..1) of the line.
        frames: frames that the line covers; `total` >= frames is the padded length.

    Returns:
        (total,) int64: the label at each character's centre frame, the blank halfway between centres, at the margins,
        in the padding and at a few random frames at least two off any centre; `IGNORED` elsewhere.
    """
    target = np.full(total, IGNORED, np.int64)
    at = np.clip((centres * frames).astype(int), 0, frames - 1)
    distance = np.abs(np.arange(total)[:, None] - at[None, :]).min(axis=1)
    far = np.flatnonzero(distance >= 2)
    if far.size:
        target[rng.choice(far, min(far.size, int(1.2 * len(labels)) + 1), replace=False)] = BLANK
    middles = (at[1:] + at[:-1]) // 2
    target[middles[np.diff(at) >= 3]] = BLANK
    target[at] = labels
    return target


def aligned_cross_entropy(head: torch.nn.Module, frames: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over the frames that have a target: (N, T, D), (N, T) -> scalar."""
    chosen = targets != IGNORED
    return functional.cross_entropy(head(frames[chosen]).float(), targets[chosen])


class CTC(torch.autograd.Function):
    """CTC that touches the wide softmax once.

    The forward-backward runs on each line's own labels and the blank only; the gradient of the logits,
    softmax - occupancy, is written directly. Equal to log_softmax + ctc_loss (tests/model/test_losses.py).

    Source: Graves et al., "Connectionist Temporal Classification", 2006, eq. 16.
    """

    @staticmethod
    def forward(context: Any, logits: Tensor, labels: Tensor, frame_counts: Tensor, label_counts: Tensor) -> Tensor:
        """(N, T, C) logits, (N, S) padded labels, (N,) frames, (N,) labels -> loss per label; every line must fit."""
        n, t, _ = logits.shape
        probability = torch.softmax(logits.float(), -1)
        same = labels[:, :, None] == labels[:, None, :]
        first = (same.int().argmax(2) + 1) * (labels != BLANK)  # label -> its column below; padding -> the blank's
        columns = torch.cat((torch.full((n, 1), BLANK, dtype=labels.dtype), labels), 1)  # (N, S + 1)
        index = columns[:, None, :].expand(n, t, columns.shape[1])
        chosen = probability.gather(2, index).clamp_min(1e-30).log()
        with torch.enable_grad():
            chosen.requires_grad_()
            loss = functional.ctc_loss(
                chosen.transpose(0, 1), first.clamp_min(1), frame_counts, label_counts, BLANK, "sum", zero_infinity=True
            )
            (slope,) = torch.autograd.grad(loss, chosen)
        total = label_counts.sum()
        # softmax - occupancy is subtracted in float32 and only then rounded: near 1, bfloat16 has steps of 0.004, and a
        # difference of two rounded numbers would push the sure classes for ever
        home = torch.cat((torch.zeros((n, 1), dtype=first.dtype), first), 1)[:, None, :].expand(n, t, -1)
        gradient = probability.scatter_(2, index, slope.gather(2, home))
        gradient.mul_((torch.arange(t)[None, :] < frame_counts[:, None])[:, :, None]).div_(total)
        context.save_for_backward(gradient.to(logits.dtype))
        return loss.detach() / total

    @staticmethod
    def backward(context: Any, *slopes: Tensor) -> tuple[Tensor, None, None, None]:  # type: ignore[override]
        (gradient,) = context.saved_tensors
        return gradient.mul_(slopes[0]), None, None, None
