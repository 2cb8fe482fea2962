"""The CRNN: convolutions, one bidirectional LSTM, a bottleneck before the large softmax. Used to train and to export.

Source: Shi, Bai, Yao, "An End-to-End Trainable Neural Network for Image-based Sequence Recognition", 2015; plain 3x3
convolutions and the bottleneck were chosen by measured speed (docs/decisions/0003-crnn.md).
"""

from __future__ import annotations

from torch import Tensor, nn


def convolution(inputs: int, outputs: int, stride: tuple[int, int] = (1, 1)) -> nn.Sequential:
    """3x3 convolution + batch norm + ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class CRNN(nn.Module):
    """(N, 1, 32, W) float32 -> (N, W / 4, C) logits; W a multiple of 4, class 0 is the blank.

    Other sizes than the defaults are for comparison (tests/bench/architectures.py): `height` a multiple of 16,
    `time_stride` 4 or 8, `layers` of LSTM.
    """

    def __init__(
        self,
        classes: int,
        widths: tuple[int, int, int, int] = (32, 64, 128, 256),
        hidden: int = 128,
        bottleneck: int = 128,
        *,
        layers: int = 1,
        height: int = 32,
        time_stride: int = 4,
    ) -> None:
        super().__init__()
        a, b, c, d = widths
        self.features = nn.Sequential(
            convolution(1, a, (2, 2)),  # (N, a, 16, W/2)
            convolution(a, b, (2, 2)),  # (N, b, 8, W/4)
            convolution(b, b),
            convolution(b, c, (2, time_stride // 4)),  # (N, c, 4, W/4)
            convolution(c, c),
            convolution(c, d, (2, 1)),  # (N, d, 2, W/4)
            convolution(d, d),
            nn.Conv2d(d, d, (height // 16, 1), bias=False),  # (N, d, 1, W/4)
            nn.BatchNorm2d(d),
            nn.ReLU(inplace=True),
        )
        self.sequence = nn.LSTM(d, hidden, layers, bidirectional=True, batch_first=True)
        self.bottleneck = nn.Linear(2 * hidden, bottleneck)
        self.head = nn.Linear(bottleneck, classes)

    def frames(self, lines: Tensor) -> Tensor:
        """(N, 1, 32, W) -> (N, W / 4, bottleneck): what the head classifies, frame by frame."""
        features = self.features(lines).squeeze(2).transpose(1, 2)  # (N, T, d)
        context, _ = self.sequence(features)  # (N, T, 2 * hidden)
        return self.bottleneck(context)  # type: ignore[no-any-return]

    def forward(self, lines: Tensor) -> Tensor:
        """(N, 1, 32, W) -> (N, W / 4, C) logits."""
        return self.head(self.frames(lines))  # type: ignore[no-any-return]
