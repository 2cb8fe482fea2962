"""One line as it was found, by whatever means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TextLine:
    """One line of writing.

    polygon: (4, 2) float32 px of the searched page, origin top-left, clockwise from the line's top-left.
    height: px, of its taller characters.
    in_doubt: found by a second look, and no writing unless it reads surely.
    """

    polygon: NDArray[np.float32]
    height: float
    in_doubt: bool = False
