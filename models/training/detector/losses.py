"""What the detector is punished for: cells of the wrong kind, lines that run together, edges in the wrong place."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

NEGATIVES = 3  # of the hardest cells without writing for each cell with writing
LEAST_NEGATIVES = 400  # cells of a batch; a page without writing has something to teach, too
DICE_WEIGHT = 1.0
EDGE_WEIGHT = 0.5
EDGE_FROM = 0.5  # cells that a kernel covers by more than this know how far its edges are


def kernel_loss(logits: Tensor, kernel: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy over the cells of kernels and the hardest others, all (N, H, W); targets may be shares."""
    each = functional.binary_cross_entropy_with_logits(logits, kernel, reduction="none") * weight
    inside = (kernel > 0) & (weight > 0)
    positive = each[inside]
    negative = each[~inside]
    count = min(negative.numel(), max(LEAST_NEGATIVES, NEGATIVES * positive.numel()))
    hardest = negative.topk(count, sorted=False).values
    return (positive.sum() + hardest.sum()) / (positive.numel() + count)


def dice_loss(logits: Tensor, kernel: Tensor, weight: Tensor) -> Tensor:
    """One minus the overlap of two maps, (N, H, W)."""
    share = torch.sigmoid(logits) * weight
    target = kernel * weight
    return 1 - (2 * (share * target).sum() + 1) / ((share * share).sum() + (target * target).sum() + 1)


def edge_loss(edges: Tensor, targets: Tensor, kernel: Tensor, weight: Tensor) -> Tensor:
    """Mean absolute error of the log2 distances, (N, 2, H, W), in the kernels."""
    inside = (kernel > EDGE_FROM) & (weight > 0) & (targets.amax(1) > 0)
    error = (edges - targets).abs().sum(1)[inside]
    return error.sum() / max(1, error.numel())


def detector_loss(maps: Tensor, kernel: Tensor, edges: Tensor, weight: Tensor) -> Tensor:
    """The sum of all: maps (N, 3, H, W) logits and log2 px; kernel, weight (N, H, W); edges (N, 2, H, W)."""
    maps = maps.float()
    logits = maps[:, 0]
    return (
        kernel_loss(logits, kernel, weight)
        + DICE_WEIGHT * dice_loss(logits, kernel, weight)
        + EDGE_WEIGHT * edge_loss(maps[:, 1:], edges, kernel, weight)
    )
