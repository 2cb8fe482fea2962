"""The two losses of the recipe: cross-entropy at character centres, then CTC over a large charset at small cost."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from models.charset import BLANK

IGNORED = -1
SURE = 0.999
CHECKED = 0.05


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


def ctc(
    head: torch.nn.Linear,
    frames: Tensor,
    labels: Tensor,
    frame_counts: Tensor,
    label_counts: Tensor,
    *,
    sure: float = SURE,
    checked: float = CHECKED,
) -> tuple[Tensor, Tensor]:
    """CTC over a large charset that takes the wide softmax only where it can matter.

    Where the blank is surer than `sure` among the blank and the classes of the batch, the softmax is over these few;
    elsewhere, and at a share `checked` of the sure frames, it is over all classes. The forward-backward runs on each
    line's own labels and the blank. With `sure` > 1 equal to log_softmax + ctc_loss (tests/model/test_training.py).

    Args:
        head: the classifier, D -> C.
        frames: (N, T, D).
        labels: (N, S) int64, the blank beyond a line's own.
        frame_counts, label_counts: (N,) int64; every line must fit.

    Returns:
        The loss per label, to print, and a scalar whose gradient is the loss's, to call `backward` on.

    Source: Graves et al., "Connectionist Temporal Classification", 2006, eq. 16.
    """
    n, t, _ = frames.shape
    columns = torch.cat((torch.full((n, 1), BLANK, dtype=labels.dtype), labels), 1)  # (N, S + 1)
    classes, places = torch.unique(columns, return_inverse=True)  # the blank comes first
    few = functional.linear(frames, head.weight[classes], head.bias[classes])  # (N, T, K)
    valid = torch.arange(t)[None, :] < frame_counts[:, None]
    with torch.no_grad():
        few_values = few.float()
        few_slope = torch.softmax(few_values, -1)
        wide = valid & ((few_slope[:, :, 0] < sure) | (torch.rand(n, t) < checked))
    full = head(frames[wide])  # (M, C)
    with torch.no_grad():
        full_slope = torch.softmax(full.float(), -1)
        peaks = full.max(-1)
        normal = torch.logsumexp(few_values, -1)
        normal[wide] = peaks.values.float() - full_slope.gather(1, peaks.indices[:, None])[:, 0].log()
        spread = places[:, None, :].expand(n, t, -1)
        chosen = (few_values.gather(2, spread) - normal[:, :, None]).clamp_min(-69.0)
    same = labels[:, :, None] == labels[:, None, :]
    first = (same.int().argmax(2) + 1) * (labels != BLANK)  # label -> its column of `chosen`; padding -> the blank's
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
    slope = slope.gather(2, home)
    few_slope.scatter_(2, spread, slope).mul_((valid & ~wide)[:, :, None]).div_(total)
    full_slope.scatter_(1, columns[:, None, :].expand(n, t, -1)[wide], slope[wide]).div_(total)
    surrogate = (few * few_slope.to(few.dtype)).sum(dtype=torch.float32) + (full * full_slope.to(full.dtype)).sum(
        dtype=torch.float32
    )
    return loss.detach() / total, surrogate
