"""What recognition says about a document: pages, lines, words, characters.

Pixels are those of the original page as it is seen (after EXIF orientation), origin top-left, x to the right, y down.
Polygons are 4 points clockwise from the top-left of the writing. Confidence is defined in `worker.ocr.text.ctc`.
`to_json` builds the `result` object of a job, `from_json` reads one back; `shared.jobs.stored_result` stores it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

STAGES = ("decode", "preprocess", "lines", "recognition")
"""What recognition does, in this order; each is measured."""


@dataclass(frozen=True)
class Timings:
    """Milliseconds by stage."""

    queue: float | None
    decode: float | None
    preprocess: float | None
    lines: float | None
    recognition: float | None
    total: float | None


TIMING_STAGES = tuple(stage.name for stage in fields(Timings))
"""All that is measured of a job: how long it waited, the stages of recognition, and everything together."""

Point = tuple[float, float]
Polygon = tuple[Point, Point, Point, Point]


def as_polygon(points: Sequence[Sequence[float]]) -> Polygon:
    """Return four points as a polygon, coordinates rounded to a tenth of a pixel.

    Raises:
        ValueError: Not four points.
    """
    a, b, c, d = ((round(float(x), 1), round(float(y), 1)) for x, y in points)
    return a, b, c, d


def mean_confidence(confidences: Iterable[float]) -> float | None:
    """Return the mean of characters' confidences, 0..1, or None of none."""
    values = list(confidences)
    return sum(values) / len(values) if values else None


def _require_box(polygon: Polygon) -> None:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = polygon
    doubled_area = (cx - ax) * (dy - by) - (dx - bx) * (cy - ay)
    if not math.isfinite(doubled_area):
        raise ValueError(f"a polygon has finite corners, not {polygon}")
    if doubled_area < 0:
        raise ValueError(f"a polygon runs clockwise, {polygon} does not")


def _require_confidence(value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"a confidence lies in 0..1, not at {value}")


@dataclass(frozen=True)
class Character:
    """One character. start, end: where its cell begins and ends along its line, as shares of the line's width, 0..1."""

    text: str
    confidence: float
    start: float
    end: float

    def __post_init__(self) -> None:
        _require_confidence(self.confidence)
        if not 0.0 <= self.start <= self.end <= 1.0:
            raise ValueError(f"a character lies within its line, not at {self.start}..{self.end}")


@dataclass(frozen=True)
class Word:
    """A run of characters without a space, or a single Chinese character. confidence: mean of its characters, 0..1."""

    text: str
    confidence: float
    polygon: Polygon

    def __post_init__(self) -> None:
        _require_confidence(self.confidence)
        _require_box(self.polygon)

    def to_json(self) -> dict[str, Any]:
        """Return its part of the `result` object."""
        return {"text": self.text, "confidence": _rounded(self.confidence), "polygon": _points(self.polygon)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Word:
        """The inverse of `to_json`."""
        return cls(found["text"], found["confidence"], _stored_polygon(found["polygon"]))


@dataclass(frozen=True)
class Line:
    """One line of writing, never empty.

    text: after post-correction. raw_text: as the model read it. edits: what post-correction changed, in order.
    polygon: tight around the writing, px of the original page. angle and place follow from it.
    characters: never none, but for a line that was read back: they are not stored, so it brings its mean along.
    """

    text: str
    raw_text: str
    polygon: Polygon
    characters: tuple[Character, ...]
    words: tuple[Word, ...] = ()
    edits: tuple[dict[str, Any], ...] = ()
    stored_confidence: float | None = None

    def __post_init__(self) -> None:
        _require_box(self.polygon)
        if self.stored_confidence is not None:
            _require_confidence(self.stored_confidence)
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
            "confidence": _rounded(self.confidence),
            "polygon": _points(self.polygon),
            "words": [word.to_json() for word in self.words],
            "edits": list(self.edits),
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Line:
        """The inverse of `to_json`, but for the characters."""
        return cls(
            found["text"],
            found["raw_text"],
            _stored_polygon(found["polygon"]),
            characters=(),
            words=tuple(Word.from_json(word) for word in found["words"]),
            edits=tuple(found["edits"]),
            stored_confidence=found["confidence"],
        )


@dataclass(frozen=True)
class Reason:
    """Why a page reads badly or not at all.

    code: stable name. measure: what was measured, value: how much, threshold: how much is allowed.
    message: what happened and the way out, for people.
    """

    code: str
    measure: str
    value: float
    threshold: float
    message: str

    def to_json(self) -> dict[str, Any]:
        """Return its part of the `result` object, and of the `details` of an error."""
        return asdict(self)

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Reason:
        """The inverse of `to_json`."""
        return cls(*(found[name] for name in ("code", "measure", "value", "threshold", "message")))


@dataclass(frozen=True)
class Page:
    """One page.

    page_number: 1-based. width, height: px of the original page. angle: degrees by which its writing is turned,
    counter-clockwise positive. quality: measured numbers, see `worker.ocr.page.quality`. lines: in reading order.
    warnings: what its reader should know about its image, see `worker.ocr.page.admission`.
    """

    page_number: int
    width: int
    height: int
    angle: float
    quality: dict[str, float | None]
    lines: tuple[Line, ...]
    warnings: tuple[Reason, ...] = ()

    def __post_init__(self) -> None:
        if self.page_number < 1:
            raise ValueError(f"pages are counted from 1, not {self.page_number}")
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a page has at least one pixel, not {self.width} x {self.height}")

    @property
    def text(self) -> str:
        """Its lines, one below the other."""
        return "\n".join(line.text for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        """Return its part of the `result` object."""
        return {
            "page_number": self.page_number,
            "width": self.width,
            "height": self.height,
            "angle": round(self.angle, 2),
            "quality": dict(self.quality),
            "warnings": [reason.to_json() for reason in self.warnings],
            "lines": [line.to_json() for line in self.lines],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Page:
        """The inverse of `to_json`; the first results said nothing of warnings."""
        return cls(
            found["page_number"],
            found["width"],
            found["height"],
            found["angle"],
            dict(found["quality"]),
            tuple(Line.from_json(line) for line in found["lines"]),
            tuple(Reason.from_json(reason) for reason in found.get("warnings", ())),
        )


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
    """All that was read. timings_ms: of each of the `STAGES`, summed over the pages."""

    model: ModelName
    pages: tuple[Page, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)
    stored: Summary | None = None

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
            "confidence": _rounded(self.confidence),
            "min_confidence": _rounded(self.min_confidence),
            "model": self.model.to_json(),
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
        )


def _points(polygon: Polygon) -> list[list[float]]:
    return [[x, y] for x, y in polygon]


def _stored_polygon(points: Sequence[Sequence[float]]) -> Polygon:
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points  # thousands of them in a document: rounded and made floats before
    return (ax, ay), (bx, by), (cx, cy), (dx, dy)


def _rounded(confidence: float | None) -> float | None:
    return None if confidence is None else round(confidence, 4)
