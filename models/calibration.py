"""From what a network thinks to how often it is right: a line in the logit, for each of two kinds of characters."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.charset import CJK

EDGE = 1e-6  # probabilities nearer to 0 or 1 than this count as this


@dataclasses.dataclass(frozen=True)
class Line:
    """logit(confidence) = slope * logit(probability) + offset; rises, so no two characters change places."""

    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (self.slope > 0 and np.isfinite([self.slope, self.offset]).all()):
            raise ValueError(f"a calibration rises and is finite, not {self}")


@dataclasses.dataclass(frozen=True)
class Calibration:
    """How a recogniser's probabilities become confidences. Where nothing was fitted they stay as they are.

    chinese: for Chinese characters and signs, which share the probability with thousands of others.
    other: for the rest.
    """

    chinese: Line = Line()
    other: Line = Line()

    def apply(self, characters: Sequence[str], probabilities: NDArray[np.float32]) -> NDArray[np.float64]:
        """Confidences of (N,) characters from their (N,) probabilities, both 0..1."""
        values = np.asarray(probabilities, np.float64)
        if self == IDENTITY:
            return values
        chinese = np.array([CJK.match(character) is not None for character in characters], np.bool_)
        slope = np.where(chinese, self.chinese.slope, self.other.slope)
        offset = np.where(chinese, self.chinese.offset, self.other.offset)
        calibrated: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-(slope * logit(values) + offset)))
        return calibrated

    def to_json(self) -> str:
        """For the model's metadata."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """The inverse of `to_json`; an empty text is the identity.

        Raises:
            ValueError, TypeError: it is no calibration.
        """
        return cls(**{kind: Line(**line) for kind, line in json.loads(text or "{}").items()})


IDENTITY = Calibration()


def logit(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """log(p / (1 - p)), (N,), finite."""
    clipped = np.clip(probabilities, EDGE, 1 - EDGE)
    result: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return result
