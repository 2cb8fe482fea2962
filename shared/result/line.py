"""A line of writing, its words and its characters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.result.confidence import require_confidence, rounded
from shared.result.polygon import Polygon, from_points, require_clockwise, to_points

SourceName = Literal["recognition", "text_layer"]
"""Whether a text was recognised, or taken from the layer that the document brought along."""


@dataclass(frozen=True)
class Character:
    """One character. start, end: where its cell begins and ends along its line, as shares of the line's width, 0..1."""

    text: str
    confidence: float
    start: float
    end: float

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        if not 0.0 <= self.start <= self.end <= 1.0:
            raise ValueError(f"a character lies within its line, not at {self.start}..{self.end}")


@dataclass(frozen=True)
class Word:
    """A run of characters without a space, or a single Chinese character. confidence: mean of its characters, 0..1."""

    text: str
    confidence: float
    polygon: Polygon

    def __post_init__(self) -> None:
        require_confidence(self.confidence)
        require_clockwise(self.polygon)

    def to_json(self) -> dict[str, Any]:
        """Return its part of the `result` object."""
        return {"text": self.text, "confidence": rounded(self.confidence), "polygon": to_points(self.polygon)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Word:
        """The inverse of `to_json`."""
        return cls(found["text"], found["confidence"], from_points(found["polygon"]))


@dataclass(frozen=True)
class Line:
    """One line of writing, never empty.

    text: after post-correction. raw_text: as the model read it. edits: what post-correction changed, in order.
    polygon: tight around the writing, px of the original page. angle and place follow from it.
    characters: never none, but for a line that was read back: they are not stored, so it brings its mean along.
    model: name of the one that read it, where two read the page. source: where it is another than its page's.
    """

    text: str
    raw_text: str
    polygon: Polygon
    characters: tuple[Character, ...]
    words: tuple[Word, ...] = ()
    edits: tuple[dict[str, Any], ...] = ()
    stored_confidence: float | None = None
    model: str | None = None
    source: SourceName | None = None

    def __post_init__(self) -> None:
        require_clockwise(self.polygon)
        if self.stored_confidence is not None:
            require_confidence(self.stored_confidence)
        elif not self.characters:
            raise ValueError("a line has at least one character")

    @property
    def confidence(self) -> float:
        """Mean over its characters, spaces included, 0..1."""
        if self.stored_confidence is not None:
            return self.stored_confidence
        return sum(c.confidence for c in self.characters) / len(self.characters)

    def to_json(self) -> dict[str, Any]:
        """Return its part of the `result` object."""
        return {
            "text": self.text,
            "raw_text": self.raw_text,
            "confidence": rounded(self.confidence),
            "polygon": to_points(self.polygon),
            "words": [word.to_json() for word in self.words],
            "edits": list(self.edits),
            **({"model": self.model} if self.model is not None else {}),
            **({"source": self.source} if self.source is not None else {}),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Line:
        """The inverse of `to_json`, but for the characters."""
        return cls(
            found["text"],
            found["raw_text"],
            from_points(found["polygon"]),
            characters=(),
            words=tuple(Word.from_json(word) for word in found["words"]),
            edits=tuple(found["edits"]),
            stored_confidence=found["confidence"],
            model=found.get("model"),
            source=found.get("source"),
        )
