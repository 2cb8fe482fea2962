"""A text detector in onnxruntime: a page in, maps of where its lines are out. Make one per process, after the fork."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.bringing.derive import read_beside
from models.card import ModelFileError, sha256_of, told
from models.recognizer import DETECTORS, FILE_NAME, WEIGHTS, Place
from models.session import open_session

KIND = "detector"
DEFAULT = "detector-lines"
MAPS = "kernel,log2-above,log2-below"
STRIDE = 4  # px of the page for a cell of the maps
MULTIPLE = 32  # px; the sides of what the network sees
MOST_PIXELS = 2_200_000  # that are looked at in one go: a usual page; a larger one would take the most memory of all
REACH = 4 * MULTIPLE  # px; what is further away from a cell does not change it


@dataclasses.dataclass(frozen=True)
class DetectorCard:
    """Metadata of a detector.

    Attributes:
        name: folder or file name it was loaded by.
        version: of the weights, `YYYYMMDD.n`.
        sha256: of the .onnx file, hex.
        training: what it was trained on, as stated by the trainer.
        licence: of the weights, an SPDX identifier; "" where nobody said.
        source: where the file comes from.
    """

    name: str
    version: str
    sha256: str
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    licence: str = ""
    source: str = ""

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], name: str, sha256: str) -> DetectorCard:
        """The card in an .onnx file's metadata.

        Raises:
            ModelFileError: the file is no detector, or one of another layout.
        """
        served = {"kind": KIND, "stride": str(STRIDE), "maps": MAPS}
        for key, value in served.items():
            if metadata.get(key) != value:
                raise ModelFileError(f"{name}: {key}={metadata.get(key)!r:.80} is not supported, only {value!r}.")
        try:
            training = json.loads(metadata.get("training", "{}"))
        except (ValueError, RecursionError) as error:
            raise ModelFileError(f"{name}: its `training` cannot be used ({error}).") from error
        return cls(name=name, sha256=sha256, training=training, **told(metadata, name))

    def to_metadata(self) -> dict[str, str]:
        """Key-value pairs for the .onnx file; the inverse of `from_metadata` (name and sha256 belong to the file)."""
        training = json.dumps(self.training, ensure_ascii=False)
        return {"kind": KIND, "stride": str(STRIDE), "maps": MAPS, "version": self.version, "training": training}


class Detector:
    """One loaded detector.

    Attributes:
        card: what the file says of itself.
    """

    def __init__(self, path: pathlib.Path, name: str, threads: int = 1) -> None:
        self.session = open_session(path, threads)
        metadata = {**self.session.get_modelmeta().custom_metadata_map, **read_beside(path)}
        self.card = DetectorCard.from_metadata(metadata, name, sha256_of(path))
        self.input_name = self.session.get_inputs()[0].name

    def maps(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8, 0 = black -> (3, ceil(H / 4), ceil(W / 4)) float32.

        The probability that a cell lies in the middle half of a line, and log2 of the px from the cell's middle up
        and down to the line's edges, which mean something only where the probability is high.
        """
        height, width = gray.shape
        page = np.pad(gray, ((0, -height % MULTIPLE), (0, -width % MULTIPLE)), mode="edge")
        maps = np.concatenate([self._maps_of(page, top, bottom) for top, bottom in _bands(*page.shape)], axis=1)
        return maps[:, : -(-height // STRIDE), : -(-width // STRIDE)]

    def _maps_of(self, page: NDArray[np.uint8], top: int, bottom: int) -> NDArray[np.float32]:
        """The maps of some rows of a page, seen with what may change them."""
        above = min(top, REACH)
        inputs = page[top - above : bottom + REACH].astype(np.float32)[None, None]
        inputs *= 1 / 127.5
        inputs -= 1
        maps = self.session.run(None, {self.input_name: inputs})[0][0]
        return maps[:, above // STRIDE : (above + bottom - top) // STRIDE]  # type: ignore[no-any-return]


def _bands(height: int, width: int) -> Iterator[tuple[int, int]]:
    """The first row of each part of a page that is looked at in one go, and the first below it."""
    count = -(-height * width // MOST_PIXELS)
    size = -(-height // (count * MULTIPLE)) * MULTIPLE
    yield from ((top, min(top + size, height)) for top in range(0, height, size))


def load(name: str = "", *, threads: int = 1) -> Detector:
    """The detector `name`: a folder below models/weights, a folder with model.onnx, or a file; "" is the default.

    Raises:
        ModelFileError: there is no such detector, or its file cannot be used.
    """
    name = name or DEFAULT
    for path in (WEIGHTS / name / FILE_NAME, pathlib.Path(name) / FILE_NAME, pathlib.Path(name)):
        if path.is_file():
            return Detector(path, name, threads)
    raise ModelFileError(f"There is no detector {name!r}. Restore its file, or set OCRELAY_LINE_FINDER=classical.")


def places(installed: pathlib.Path | None = None) -> list[Place]:
    """Where detectors of either kind lie, those of models/weights and those that were added."""
    paths = [path for folder in (installed, WEIGHTS) if folder for path in folder.glob(f"{DETECTORS}*/{FILE_NAME}")]
    return [Place(path, path.parent.name) for path in sorted(paths)]
