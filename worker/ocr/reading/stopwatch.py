"""How long each stage of a page took."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from shared import clock
from shared.result import STAGES


class Stopwatch:
    """Adds up how long each stage took. timings_ms: milliseconds by stage."""

    def __init__(self) -> None:
        self.timings_ms = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        """Add the time that the block takes to a stage."""
        start = clock.monotonic()
        try:
            yield
        finally:
            self.timings_ms[stage] = round(self.timings_ms[stage] + (clock.monotonic() - start) * 1000, 2)
