"""The sweeper's part in /metrics: adds what is new in the audit trail to the sums, every few seconds."""

from __future__ import annotations

import structlog

from shared import clock, errors
from shared.audit import tallies
from shared.database import Database

log = structlog.get_logger(__name__)

LOOK_SECONDS = 5.0
MOST_PORTIONS = 4
"""In one round, so that a long trail that was not counted yet does not hold up the sweeper."""


class Tally:
    """Counts what is due each time it is called."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at = clock.monotonic() - LOOK_SECONDS

    def __call__(self) -> None:
        """Count what is due. Raises DatabaseUnavailable; the next call goes on. Nothing else stops the sweeper."""
        if clock.monotonic() - self._at < LOOK_SECONDS:
            return
        self._at = clock.monotonic()
        try:
            for _ in range(MOST_PORTIONS):
                if tallies.advance(self._database) < tallies.PORTION:
                    return
        except errors.DatabaseUnavailable:
            raise
        except Exception:
            log.exception(
                "The numbers for /metrics stand still; the sweeper goes on. Report the reason below.",
                event_name="tally.failed",
            )
