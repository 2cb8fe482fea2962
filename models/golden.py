"""Golden lines: small rendered images that each model has read once, and must read again wherever it is taken up.

What a model must read travels with it, in a file beside its weights. Where nobody wrote it down, it is what the model
reads when it is added: that says nothing about how good it is, and everything about whether it is still the same.
"""

from __future__ import annotations

import difflib
import json
import pathlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.card import ModelFileError
from models.charset import BLANK, Charset
from models.frames import Frames

LINES = pathlib.Path(__file__).with_name("golden_lines")
FILE_NAME = "golden.json"  # name of a line -> what must be read there
ALIKE = 0.9  # least share of characters that must be the same: another processor may decide a close call otherwise
FOUND = 0.5  # least probability of a cell in which there is a line


class Reads(Protocol):
    """What is needed of a recogniser; `models.recognizer.Recognizer` is one."""

    @property
    def card(self) -> Any:
        """What it says of itself."""

    def prepare(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8, 0 = black -> (channels, input_height, W') float32."""

    def frames(self, batch: NDArray[np.float32]) -> list[Frames]:
        """(N, channels, input_height, W) float32 -> the frames of each line."""


class Detects(Protocol):
    """What is needed of a detector; `models.detector.Detector` is one."""

    @property
    def card(self) -> Any:
        """What it says of itself."""

    def maps(self, gray: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H, W) uint8, 0 = black -> (3, ceil(H / 4), ceil(W / 4)) float32; the first is a probability."""


def read(recognizer: Reads) -> dict[str, str]:
    """What a recogniser reads in each golden line: the likeliest label of each frame, without dictionary or rules.

    Raises:
        ModelFileError: what it gives is not finite, or it reads nothing at all where each line holds text.
    """
    charset: Charset = recognizer.card.charset
    found = {}
    for name, gray in _images():
        logits = recognizer.frames(recognizer.prepare(gray)[None])[0].dense()
        if not np.isfinite(logits).all():
            raise ModelFileError(
                f"{recognizer.card.name} gives numbers that are not finite for the golden line {name!r}. "
                "Export it anew."
            )
        labels = logits.argmax(1)
        changes = np.flatnonzero(np.diff(labels, prepend=BLANK))
        found[name] = charset.decode(labels[changes].tolist())
    if not any(found.values()):
        raise ModelFileError(
            f"{recognizer.card.name} reads nothing at all in the golden lines, each of which holds text. "
            "Check its weights, and the `normalisation` and `input_height` of its card."
        )
    return found


def check_detector(detector: Detects) -> None:
    """Let a detector look for each golden line, with white around it.

    Raises:
        ModelFileError: it finds none.
    """
    for name, gray in _images():
        page = np.pad(gray, 2 * gray.shape[0], constant_values=255)
        maps = detector.maps(page)
        if not np.isfinite(maps).all() or not (maps[0] > FOUND).any():
            raise ModelFileError(
                f"{detector.card.name} finds no line in the golden line {name!r}. Install or add it anew."
            )


def _images() -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for path in sorted(LINES.glob("*.png")):
        gray = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_GRAYSCALE)
        assert gray is not None, f"{path} is no image"
        yield path.stem, gray.astype(np.uint8)


def stated_beside(path: pathlib.Path) -> dict[str, str] | None:
    """What the file beside a model says that must be read; None: there is none.

    Raises:
        ModelFileError: it is no JSON object of texts, or says nothing of any golden line.
    """
    beside = path.with_name(FILE_NAME)
    if not beside.is_file():
        return None
    try:
        stated = json.loads(beside.read_text("utf-8"))
        if not isinstance(stated, dict) or not all(isinstance(text, str) for text in stated.values()):
            raise ValueError("it is no object of texts")
        json.dumps(stated, ensure_ascii=False).encode()  # half a character, which JSON can say, cannot be written down
        names = [path.stem for path in sorted(LINES.glob("*.png"))]
        if not stated.keys() & set(names):
            raise ValueError(f"it names none of the golden lines {', '.join(names)}")
    except (OSError, ValueError, RecursionError) as error:
        raise ModelFileError(f"{beside} says not what must be read: {error}. Correct or remove it.") from error
    return stated


def write_beside(path: pathlib.Path, readings: Mapping[str, str]) -> None:
    """Let a model carry what it must read."""
    text = json.dumps(dict(readings), ensure_ascii=False, indent=1, sort_keys=True)
    path.with_name(FILE_NAME).write_text(text + "\n", "utf-8")


def check(recognizer: Reads, wanted: Mapping[str, str]) -> None:
    """Let a recogniser read the golden lines.

    Raises:
        ModelFileError: it reads something else than it must, or as `read`.
    """
    found = read(recognizer)
    for name, text in wanted.items():
        if name in found and not _alike(text, found[name]):
            raise ModelFileError(
                f"{recognizer.card.name} reads {found[name]!r} in the golden line {name!r} and must read {text!r}. "
                "Install or add it anew."
            )


def _alike(wanted: str, found: str) -> bool:
    return wanted == found or difflib.SequenceMatcher(None, wanted, found, autojunk=False).ratio() >= ALIKE
