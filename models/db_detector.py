"""A detector as others make them (DB): a page in, one map out of how likely each pixel lies in the middle of a line.

PP-OCR's are of this kind. The map shows each region of text shrunk, so that neighbours stay apart; what makes it whole
again is the finder's affair. Source: Liao et al., "Real-time scene text detection with differentiable binarization",
2020.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from models.bringing.derive import read_beside
from models.card import ModelFileError, sha256_of, told
from models.detector import KIND, Detector, DetectorCard
from models.session import open_session

MULTIPLE = 32  # px; the sides of what the network sees
CHANNELS = 3
TRIAL = (2 * MULTIPLE, 3 * MULTIPLE)  # px, height and width of the page on trial
MEAN, DEVIATION = "mean", "std"  # keys of the card: of the pixels, 0..1, one number or one for each channel
USUAL = "0.5"  # PP-OCR's, as RapidOCR runs them


class DbDetector:
    """One loaded detector.

    Attributes:
        card: what the file, and the card beside it, say of it.
    """

    def __init__(self, path: pathlib.Path, name: str, threads: int = 1) -> None:
        """Load a file and let it look at a page on trial.

        Raises:
            ModelFileError: it is no such detector, with the reason.
        """
        self.session = open_session(path, threads)
        metadata = {**self.session.get_modelmeta().custom_metadata_map, **read_beside(path)}
        if metadata.get("kind", KIND) != KIND:
            raise ModelFileError(f"{name} is a {metadata['kind']:.80}, not a {KIND}. Add it as what it is.")
        self.card = DetectorCard(name=name, sha256=sha256_of(path), **told(metadata, name))
        self._mean, self._deviation = (_numbers(metadata, key, name) for key in (MEAN, DEVIATION))
        self._refuse_others(name)

    def maps(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8, 0 = black -> (1, H, W) float32, the probability that a pixel lies in the middle of a line."""
        height, width = gray.shape
        page = np.pad(gray, ((0, -height % MULTIPLE), (0, -width % MULTIPLE)), mode="edge")
        inputs = (page.astype(np.float32)[None] / 255 - self._mean) / self._deviation
        maps: NDArray[np.float32] = self.session.run(None, {self.session.get_inputs()[0].name: inputs[None]})[0][0]
        return maps[:1, :height, :width]

    def _refuse_others(self, name: str) -> None:
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] != CHANNELS or inputs[0].type != "tensor(float)":
            found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
            raise ModelFileError(f"{name}: takes {found}. A detector takes one tensor(float) (N, 3, height, width).")
        try:
            maps = self.maps(np.full(TRIAL, 255, np.uint8))
        except Exception as error:
            raise ModelFileError(f"{name}: cannot look at a page of {TRIAL} px (height, width): {error}") from error
        if len(outputs) != 1 or maps.shape != (1, *TRIAL) or not (maps.min() >= 0 and maps.max() <= 1):
            raise ModelFileError(
                f"{name}: gives {maps.dtype} {maps.shape} for a page of {TRIAL} px. A detector gives one map of the "
                "same size, probabilities from 0 to 1; export it with dynamic sides and with its sigmoid."
            )


def open_detector(path: pathlib.Path, name: str, threads: int = 1) -> Detector | DbDetector:
    """Load a detector of either kind: ours says in its file that it is one.

    Raises:
        ModelFileError: the file cannot be used as a detector.
    """
    metadata = open_session(path, threads).get_modelmeta().custom_metadata_map
    return Detector(path, name, threads) if "maps" in metadata else DbDetector(path, name, threads)


def _numbers(metadata: Mapping[str, str], key: str, name: str) -> NDArray[np.float32]:
    """(3, 1, 1) float32 from a card."""
    stated = metadata.get(key, USUAL).strip("[]").split(",")
    try:
        numbers = np.array([float(one) for one in stated], np.float32)
        if (
            len(numbers) not in (1, CHANNELS)
            or not np.isfinite(numbers).all()
            or (key == DEVIATION and not numbers.all())
        ):
            raise ValueError("one number is wanted, or one for each of three channels")
    except ValueError as error:
        raise ModelFileError(f"{name}: {key}={metadata[key]!r} in its card cannot be used: {error}.") from error
    return np.broadcast_to(numbers, CHANNELS).reshape(CHANNELS, 1, 1)
