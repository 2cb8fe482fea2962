"""Waiting for jobs to end: one thread of the process hears of all that end, and asks the database now and then."""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from shared import clock, errors, jobs
from shared.database import Database
from shared.news import Listener

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.04
"""How often the database is asked while the broker brings no news."""
SURE_SECONDS = 0.25
"""How often it is asked all the same: news may be lost, and not everybody who ends a job tells."""
LINGER_SECONDS = 10.0
"""So long the thread goes on listening for who may wait next."""
HEARD_COUNT = 1000
"""So many jobs of which was heard before anybody waited for them are kept in mind."""


class Waiting:
    """Holds requests until their jobs end, without holding a database connection for each.

    Each holds a thread, so there are only so many places; who finds none is answered at once and asks again.
    """

    def __init__(self, database: Database, places: int = 12, news: Listener | None = None) -> None:
        self._database = database
        self._places = threading.BoundedSemaphore(places)
        self._news = news or Listener(None)
        self._lock = threading.Lock()
        self._events: dict[str, set[threading.Event]] = defaultdict(set)
        self._heard: OrderedDict[str, None] = OrderedDict()
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
        """Return when the job seems to have ended or the time is over, whichever comes first. Take a place before.

        That it has ended is a hint: look into the database.
        """
        event = threading.Event()
        with self._lock:
            if job_id in self._heard:
                del self._heard[job_id]
                return
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
        asked = waited = -LINGER_SECONDS
        while True:
            has_news = self._news.open()
            now = clock.monotonic()
            with self._lock:
                ids = list(self._events)
                if not ids and not (has_news and now - waited <= LINGER_SECONDS):
                    self._thread = None
                    self._heard.clear()  # from now on nothing is heard, and what was is soon forgotten
                    self._news.close()
                    return
            if ids:
                waited = now
                if now - asked >= (SURE_SECONDS if has_news else POLL_SECONDS):
                    asked = now
                    self._wake(self._final(ids))
            self._hear(self._news.next(SURE_SECONDS if has_news else POLL_SECONDS))

    def _hear(self, job_ids: Sequence[str]) -> None:
        with self._lock:
            for job_id in job_ids:
                if job_id not in self._events:
                    self._heard[job_id] = None
                    if len(self._heard) > HEARD_COUNT:
                        self._heard.popitem(last=False)
        self._wake(job_ids)

    def _wake(self, ids: Iterable[str]) -> None:
        with self._lock:
            for job_id in ids:
                for event in self._events.get(job_id, ()):
                    event.set()

    def _final(self, ids: list[str]) -> list[str]:
        try:
            with self._database.read() as connection:
                return jobs.final_among(connection, ids)
        except errors.DatabaseUnavailable:
            log.warning(
                "The database did not answer; waiting requests ask again in a moment.", event_name="waiting.database"
            )
            return []
