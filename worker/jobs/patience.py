"""Writing what a worker did, with some patience for a database that is away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import structlog
from sqlalchemy import Connection

from shared import clock, errors
from shared.database import Database

log = structlog.get_logger(__name__)

PAUSES_SECONDS = (0.2, 1.0, 3.0)
"""Pauses between the tries."""

Written = TypeVar("Written")


def write(database: Database, what: Callable[[Connection], Written]) -> Written | None:
    """Write in one transaction, and say what that returned; None: the database stayed away, and nothing is written."""
    for pause_seconds in (*PAUSES_SECONDS, None):
        try:
            with database.write() as connection:
                return what(connection)
        except errors.DatabaseUnavailable as error:
            log.warning("What was read could not be written.", event_name="job.not_written", error=str(error))
            if pause_seconds is not None:
                clock.sleep(pause_seconds)
    return None
