"""The answers of the dialects, as the OpenAPI document states them."""

from __future__ import annotations

from pydantic import BaseModel

Point = tuple[float, float]


class SyncLine(BaseModel):
    """A line in the synchronous answer."""

    text: str
    confidence: float | None
    polygon: list[Point]


class SyncAnswer(BaseModel):
    """The answer of POST /api/ocr."""

    text: str
    confidence: float | None
    min_confidence: float | None
    lines: list[SyncLine]
    job_id: str
    elapsed_ms: float | None
