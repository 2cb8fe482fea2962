"""Waiting for jobs to end: one thread of the process asks the database for all waiting requests together."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from shared import clock, errors, jobs
from shared.database import Database

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.04


class Waiting:
    """Holds requests until their jobs end, without holding a database connection for each.

    Each holds a thread, so there are only so many places; who finds none is answered at once and asks again.
    """

    def __init__(self, database: Database, places: int = 12) -> None:
        self._database = database
        self._places = threading.BoundedSemaphore(places)
        self._lock = threading.Lock()
        self._events: dict[str, set[threading.Event]] = defaultdict(set)
        self._thread: threading.Thread | None = None

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Take a place for as long as the block runs; yields whether there was one."""
        taken = self._places.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._places.release()

    def until_final(self, job_id: str, seconds: float) -> None:
        """Return when the job has ended or the time is over, whichever comes first. Take a place before."""
        event = threading.Event()
        with self._lock:
            self._events[job_id].add(event)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._watch, name="waiting", daemon=True)
                self._thread.start()
        try:
            event.wait(seconds)
        finally:
            with self._lock:
                self._events[job_id].discard(event)
                if not self._events[job_id]:
                    del self._events[job_id]

    def _watch(self) -> None:
        while True:
            with self._lock:
                ids = list(self._events)
                if not ids:
                    self._thread = None
                    return
            for job_id in self._final(ids):
                with self._lock:
                    for event in self._events.get(job_id, ()):
                        event.set()
            clock.sleep(POLL_SECONDS)

    def _final(self, ids: list[str]) -> list[str]:
        try:
            with self._database.read() as connection:
                return jobs.final_among(connection, ids)
        except errors.DatabaseUnavailable:
            log.warning(
                "The database did not answer; waiting requests ask again in a moment.", event_name="waiting.database"
            )
            return []
