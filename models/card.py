"""What a model file says of itself: its card travels in the .onnx, so weights and charset cannot drift apart."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from collections.abc import Collection, Mapping
from typing import Any

from models.calibration import IDENTITY, Calibration
from models.charset import Charset
from models.line_image import MARGIN, RULES

KIND = "recogniser"
MOST_MARGIN = 1.0
HEIGHTS = range(8, 257)  # px of a line
MOST_CHARACTERS = {"version": 100, "licence": 200, "source": 1000}  # of what a card says in words
CHARSET_KEY = "character"  # one character a line, the name that PP-OCR models use too


class ModelFileError(Exception):
    """The model file cannot be used; the message says what is wrong and what to do."""


@dataclasses.dataclass(frozen=True)
class ModelCard:
    """Metadata of a recogniser.

    Attributes:
        name: folder or file name it was loaded by.
        version: of the weights, `YYYYMMDD.n`.
        sha256: of the .onnx file, hex.
        charset: characters in label order.
        input_height: pixels; lines are scaled to it.
        channels: 1 = gray; 3: the same gray three times.
        time_stride: pixels of input width for one frame of output.
        normalisation: name of the rule in `models.line_image`.
        blank: label of CTC's blank.
        margin: what its line images have around the line on every side, as a share of its height.
        output: `logits`, or `probabilities` where the softmax is in the file.
        calibration: how its probabilities become confidences.
        training: what it was trained on, as stated by the trainer.
        scores: error rates by set, as stated by the trainer.
        licence: of the weights, an SPDX identifier; "" where nobody said.
        source: where the file comes from.
    """

    name: str
    version: str
    sha256: str
    charset: Charset
    input_height: int = 32
    channels: int = 1
    time_stride: int = 4
    normalisation: str = "line-standardise"
    blank: int = 0
    margin: float = MARGIN
    output: str = "logits"
    calibration: Calibration = IDENTITY
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    scores: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    licence: str = ""
    source: str = ""

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], name: str, sha256: str) -> ModelCard:
        """The card in an .onnx file's metadata.

        Raises:
            ModelFileError: a key is missing or has a value that this version cannot serve.
        """
        if metadata.get("kind") == "detector":
            raise ModelFileError(
                f"{name} is a detector: it reads no lines. Add it with `ocrelay models add FILE --detector`."
            )
        if metadata.get("kind", KIND) != KIND or CHARSET_KEY not in metadata:
            raise ModelFileError(
                f"{name} carries no recogniser's card (metadata kind={metadata.get('kind')!r:.80}). "
                "Export it with `python -m models.training.export`, which writes the card into the file, or lay a "
                "card.json with its `character` beside it."
            )
        try:
            card = cls(name=name, sha256=sha256, **_fields(metadata, name))
        except (ValueError, RecursionError) as error:
            raise ModelFileError(f"{name}: its card cannot be used ({error}).") from error
        card.check()
        return card

    def check(self) -> None:
        """Refuse what `models.line_image` and the decoder do not do."""
        served: dict[str, Collection[Any]] = {
            "channels": (1, 3),
            "blank": (0,),
            "normalisation": tuple(RULES),
            "time_stride": range(1, 33),
            "input_height": HEIGHTS,
            "output": ("logits", "probabilities"),
        }
        if not 0.0 <= self.margin <= MOST_MARGIN:
            raise ModelFileError(f"{self.name}: margin={self.margin} is not supported, only 0..{MOST_MARGIN}.")
        for field, values in served.items():
            if getattr(self, field) not in values:
                allowed = f"{values[0]}..{values[-1]}" if isinstance(values, range) else values
                given = f"{field}={getattr(self, field)!r:.80}"
                raise ModelFileError(f"{self.name}: {given} is not supported, only {allowed}.")

    def to_metadata(self) -> dict[str, str]:
        """Key-value pairs for the .onnx file; the inverse of `from_metadata` (name and sha256 belong to the file)."""
        plain = ("version", "input_height", "channels", "time_stride", "normalisation", "blank", "margin", "output")
        return {
            "kind": KIND,
            CHARSET_KEY: "\n".join(self.charset.characters),
            "calibration": self.calibration.to_json(),
            "training": json.dumps(self.training, ensure_ascii=False),
            "scores": json.dumps(self.scores, ensure_ascii=False),
            **{key: str(getattr(self, key)) for key in plain},
            **{key: getattr(self, key) for key in ("licence", "source") if getattr(self, key)},
        }


def _fields(metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    """Everything in a card but the file's name and hash."""
    return {
        **told(metadata, name),
        "charset": Charset(metadata[CHARSET_KEY].split("\n")),
        "input_height": int(metadata.get("input_height", 32)),
        "channels": int(metadata.get("channels", 1)),
        "time_stride": int(metadata.get("time_stride", 4)),
        "normalisation": metadata.get("normalisation", "line-standardise"),
        "blank": int(metadata.get("blank", 0)),
        "margin": float(metadata.get("margin", MARGIN)),
        "output": metadata.get("output", "logits"),
        "calibration": _calibration(metadata.get("calibration", ""), name),
        "training": json.loads(metadata.get("training", "{}")),
        "scores": json.loads(metadata.get("scores", "{}")),
    }


def told(metadata: Mapping[str, str], name: str) -> dict[str, Any]:
    """Version, licence and source, which people read in lists and logs.

    Raises:
        ModelFileError: one of them is too long, or no single line of printable characters.
    """
    for key, most in MOST_CHARACTERS.items():
        text = metadata.get(key, "")
        if len(text) > most or not text.isprintable():
            raise ModelFileError(
                f"{name}: `{key}` in its card is no line of up to {most} printable characters (it has {len(text)}). "
                "Correct it in the metadata or in card.json."
            )
    version = metadata.get("version") or "unknown"
    return {"version": version, "licence": metadata.get("licence", ""), "source": metadata.get("source", "")}


def _calibration(text: str, name: str) -> Calibration:
    try:
        return Calibration.from_json(text)
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ModelFileError(
            f"{name}: its calibration cannot be used ({error}). Write it anew with models.training.calibrate."
        ) from error


def sha256_of(path: pathlib.Path) -> str:
    """Hex SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
