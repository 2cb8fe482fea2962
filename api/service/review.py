"""What people look through: lines that are doubtful, with what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.jobs.corrections import Correction

DOUBTFUL_BELOW = 0.9
"""A line whose confidence is less is worth a look."""


@dataclass(frozen=True)
class ShownLine:
    """One line as a page shows it. number: 1-based on its page. text: with what people say. read: as it was read."""

    number: int
    text: str
    read: str
    confidence: float | None
    polygon: list[list[float]]
    corrected_by: Correction | None = None

    @property
    def is_doubtful(self) -> bool:
        """Whether it is worth a look: unsure, and nobody has said what it holds."""
        return self.corrected_by is None and self.confidence is not None and self.confidence < DOUBTFUL_BELOW

    @property
    def points(self) -> str:
        """Its polygon as SVG spells it."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.polygon)


def lines_of(page: dict[str, Any], made: Sequence[Correction]) -> list[ShownLine]:
    """The lines of a page of a `result` object, with the last correction of each."""
    last = {one.line_number: one for one in made if one.page_number == page["page_number"]}
    found = []
    for number, line in enumerate(page["lines"], 1):
        by = last.get(number)
        text = by.after if by else line["text"]
        found.append(ShownLine(number, text, line["text"], line["confidence"], line["polygon"], by))
    return found


def doubtful_pages(result: dict[str, Any], made: Sequence[Correction]) -> dict[int, int]:
    """How many lines of each page are worth a look, by its number; pages without any are left out."""
    counts = {page["page_number"]: sum(line.is_doubtful for line in lines_of(page, made)) for page in result["pages"]}
    return {number: count for number, count in counts.items() if count}
