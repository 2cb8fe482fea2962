"""Read a doubtful line in other shapes, too, and believe what is read twice.

A network that was trained on everything still reads letters of one width, one polarity and one crop better than others.
Measured on lines of one half of each set (docs/recognition.md): a tenth to a quarter of the errors, for half a look a
line on receipts and two on words in the street. Shapes and their order were chosen there, one after the other, by what
each won. Lines of a page have their neighbours, and cost more looks together than the page costs: they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from worker.ocr.text.decoder import Reading

Gray = NDArray[np.uint8]

FEW = 3  # lines; an image of more is a page
DOUBTFUL = 0.95  # mean of a line's characters; one that reads better is believed at once
AGREED = 2  # looks that read the same end the search
FIRST = 1.5  # votes of the first look, which saw the line as the network is used to
SHARPNESS = 4  # power of a look's confidence in the vote: a sure one outweighs two poor ones


class Shape(NamedTuple):
    """How a line image is shown. width: of its own. cut: of its height, at the top and at the bottom."""

    width: float = 1.0
    cut: float = 0.0
    inverse: bool = False

    def show(self, image: Gray) -> Gray:
        """(h, w) uint8 -> the same line in this shape."""
        rows, columns = image.shape
        margin = round(self.cut * rows)
        image = image[margin : rows - margin]
        if self.width != 1.0:
            size = max(1, round(columns * self.width)), len(image)
            image = np.asarray(
                cv2.resize(image, size, interpolation=cv2.INTER_CUBIC if self.width > 1 else cv2.INTER_AREA), np.uint8
            )
        return ~image if self.inverse else image


SHAPES = (
    Shape(1.2, inverse=True),
    Shape(cut=0.08),
    Shape(1.2),
    Shape(0.9),
    Shape(1.4),
    Shape(inverse=True),
)


def look_again(
    images: Sequence[Gray], readings: Sequence[Reading], read: Callable[[Sequence[Gray]], Sequence[Reading]]
) -> list[Reading]:
    """Return the readings, those of doubtful lines replaced by what most looks at them agree on.

    Args:
        images: (h, w) uint8, 0 = black, one for each line.
        readings: What was read in them.
        read: Line images -> readings.
    """
    return [
        first if first.confidence >= DOUBTFUL else _agreed(image, first, read)
        for image, first in zip(images, readings, strict=True)
    ]


def _agreed(image: Gray, first: Reading, read: Callable[[Sequence[Gray]], Sequence[Reading]]) -> Reading:
    by_text, votes = {first.text: [first]}, {first.text: FIRST * first.confidence**SHARPNESS}
    for shape in SHAPES:
        (reading,) = read([shape.show(image)])
        text = reading.text
        by_text.setdefault(text, []).append(reading)
        votes[text] = votes.get(text, 0.0) + reading.confidence**SHARPNESS
        if reading.peaks and len(by_text[text]) >= AGREED:
            break
    return max(by_text[max(votes, key=lambda text: votes[text])], key=lambda reading: reading.confidence)
