"""What is measured of a job."""

from __future__ import annotations

from dataclasses import dataclass, fields

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
