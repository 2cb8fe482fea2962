"""The detector: plain 3x3 convolutions down to 1/32, joined from coarse to fine, answered at 1/4 of the size.

Source: Liao et al., "Real-time Scene Text Detection with Differentiable Binarization", 2019, for the map of shrunk
lines; Zhou et al., "EAST", 2017, for the distances to a line's edges, which take the place of the threshold map.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.network import convolution

WIDTHS = (16, 32, 48, 64, 96)
PYRAMID = 32
MAPS = 3  # kernel, above, below


class Detector(nn.Module):
    """(N, 1, H, W) float32 -> (N, 3, H / 4, W / 4): kernel logit, log2 px to the upper and the lower edge.

    H and W are multiples of 32.
    """

    def __init__(self) -> None:
        super().__init__()
        first, *others = WIDTHS
        self.stem = convolution(1, first, (2, 2))
        stages, inputs = [], first
        for width in others:
            stages.append(nn.Sequential(convolution(inputs, width, (2, 2)), convolution(width, width)))
            inputs = width
        self.stages = nn.ModuleList(stages)  # 1/4, 1/8, 1/16, 1/32
        self.lateral = nn.ModuleList(nn.Conv2d(width, PYRAMID, 1) for width in others)
        self.merge = convolution(PYRAMID, PYRAMID)
        self.head = nn.Conv2d(PYRAMID, MAPS, 1)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.head.bias.copy_(torch.tensor([-2.0, 2.5, 2.5]))  # type: ignore[union-attr]

    def forward(self, pages: Tensor) -> Tensor:
        """(N, 1, H, W) -> (N, 3, H / 4, W / 4)."""
        features, joined = self.stem(pages), None
        levels = []
        for stage in self.stages:
            features = stage(features)
            levels.append(features)
        for lateral, level in zip(reversed(self.lateral), reversed(levels), strict=True):  # type: ignore[call-overload]
            side = lateral(level)
            joined = side if joined is None else side + functional.interpolate(joined, scale_factor=2.0, mode="nearest")
        return self.head(self.merge(joined))  # type: ignore[no-any-return]
