"""A page with its lines, and why it may read badly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.result.line import Line, SourceName
from shared.result.polygon import Polygon, from_points, to_points

TOLD = ("code", "measure", "value", "threshold", "message")


@dataclass(frozen=True)
class Reason:
    """Why a page reads badly or not at all.

    code: stable name. measure: what was measured, value: how much, threshold: how much is allowed.
    message: what happened and the way out, for people. places: where on the page, where that can be said.
    """

    code: str
    measure: str
    value: float
    threshold: float
    message: str
    places: tuple[Polygon, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return its part of the `result` object, and of the `details` of an error."""
        told: dict[str, Any] = {name: getattr(self, name) for name in TOLD}
        return told | ({"places": [to_points(place) for place in self.places]} if self.places else {})

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Reason:
        """The inverse of `to_json`."""
        places = tuple(from_points(place) for place in found.get("places", ()))
        code, measure, value, threshold, message = (found[name] for name in TOLD)
        return cls(code, measure, value, threshold, message, places)


@dataclass(frozen=True)
class Page:
    """One page.

    page_number: 1-based. width, height: px of the original page. angle: degrees by which its writing is turned,
    counter-clockwise positive. quality: measured numbers, see `worker.ocr.page.quality`. lines: in reading order.
    warnings: what its reader should know about its image, see `worker.ocr.page.admission`. source: of its lines, but
    for those that name another.
    """

    page_number: int
    width: int
    height: int
    angle: float
    quality: dict[str, float | None]
    lines: tuple[Line, ...]
    warnings: tuple[Reason, ...] = ()
    source: SourceName = "recognition"

    def __post_init__(self) -> None:
        if self.page_number < 1:
            raise ValueError(f"pages are counted from 1, not {self.page_number}")
        if self.width < 1 or self.height < 1:
            raise ValueError(f"a page has at least one pixel, not {self.width} x {self.height}")

    @property
    def recognised_lines(self) -> tuple[Line, ...]:
        """Those that were recognised, and not taken from what the document says of itself."""
        return tuple(line for line in self.lines if (line.source or self.source) == "recognition")

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
            "source": self.source,
            "quality": dict(self.quality),
            "warnings": [reason.to_json() for reason in self.warnings],
            "lines": [line.to_json() for line in self.lines],
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Page:
        """The inverse of `to_json`; the first results said nothing of warnings or of where the text comes from."""
        return cls(
            found["page_number"],
            found["width"],
            found["height"],
            found["angle"],
            dict(found["quality"]),
            tuple(Line.from_json(line) for line in found["lines"]),
            tuple(Reason.from_json(reason) for reason in found.get("warnings", ())),
            found.get("source", "recognition"),
        )
