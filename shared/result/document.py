"""The whole document as it was read, and by which model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.result.confidence import mean_confidence, rounded
from shared.result.line import Line
from shared.result.page import Page


@dataclass(frozen=True)
class ModelName:
    """Which model read the document. sha256: of its weights, hexadecimal."""

    name: str
    version: str
    sha256: str

    def to_json(self) -> dict[str, str]:
        """Return its part of the `result` object."""
        return {"name": self.name, "version": self.version, "sha256": self.sha256}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> ModelName:
        """The inverse of `to_json`."""
        return cls(found["name"], found["version"], found["sha256"])


@dataclass(frozen=True)
class Summary:
    """What a stored result says of the whole document; without characters it cannot be computed again."""

    text: str
    confidence: float | None
    min_confidence: float | None


@dataclass(frozen=True)
class DocumentResult:
    """All that was read.

    model: which read it, or all of its lines first. timings_ms: of each of the `STAGES`, summed over the pages.
    stronger: which read some lines again; None: nobody did. detector: which found the lines; None: classical means did,
    or the sender said that it is a line.
    """

    model: ModelName
    pages: tuple[Page, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)
    stored: Summary | None = None
    stronger: ModelName | None = None
    detector: ModelName | None = None

    @property
    def text(self) -> str:
        """Its pages, with an empty line between them; pages without text leave no trace."""
        if self.stored is not None:
            return self.stored.text
        return "\n\n".join(page.text for page in self.pages if page.lines)

    @property
    def confidence(self) -> float | None:
        """Mean over all characters, 0..1; None of a document without text."""
        if self.stored is not None:
            return self.stored.confidence
        return mean_confidence(c.confidence for line in self._lines() for c in line.characters)

    @property
    def min_confidence(self) -> float | None:
        """The smallest confidence of a line, 0..1; None of a document without text."""
        if self.stored is not None:
            return self.stored.min_confidence
        return min((line.confidence for line in self._lines()), default=None)

    def _lines(self) -> list[Line]:
        return [line for page in self.pages for line in page.lines]

    def to_json(self) -> dict[str, Any]:
        """Return the `result` object of a job."""
        return {
            "text": self.text,
            "confidence": rounded(self.confidence),
            "min_confidence": rounded(self.min_confidence),
            "model": self.model.to_json(),
            **({"stronger_model": self.stronger.to_json()} if self.stronger is not None else {}),
            **({"detector": self.detector.to_json()} if self.detector is not None else {}),
            "pages": [page.to_json() for page in self.pages],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> DocumentResult:
        """The inverse of `to_json`, but for the characters: `DocumentResult.from_json(x).to_json() == x`.

        Raises:
            KeyError, TypeError, ValueError: It is no `result` object.
        """
        return cls(
            ModelName.from_json(found["model"]),
            tuple(Page.from_json(page) for page in found["pages"]),
            stored=Summary(found["text"], found["confidence"], found["min_confidence"]),
            stronger=ModelName.from_json(found["stronger_model"]) if "stronger_model" in found else None,
            detector=ModelName.from_json(found["detector"]) if "detector" in found else None,
        )
