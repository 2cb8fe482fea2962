"""The one place that reads the time, so that every other module can be tested without waiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the wall-clock time of this machine, aware, in UTC. Leases use the database's clock instead."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Return seconds that never run backwards, for durations and deadlines inside one process."""
    return time.monotonic()


def sleep(seconds: float) -> None:
    """Pause this thread."""
    time.sleep(seconds)


def timestamp(moment: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds, e.g. ``2026-11-20T23:48:30.123Z``."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
