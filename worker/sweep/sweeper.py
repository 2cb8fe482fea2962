"""The sweeper restores invariants: every lease is kept or taken back, every due job has a message.

One function for each worry. Each may run in any number of processes at once, and each may be cut off anywhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from shared import clock, errors, jobs, queue, workers
from shared.database import Database
from shared.options import PriorityName
from shared.queue import JobQueue
from worker.sweep import broker_epoch, promotion, publish_window

log = structlog.get_logger(__name__)

LEAST_WINDOW = 32
"""So many messages lie in the broker at most by the sweeper's doing, or a few for each child if that is more."""
WINDOW_PER_CHILD = 4
BUSY_SECONDS = 0.1
"""Pause after a round that filled the window: there is more to publish."""
OVERTAKEN_SECONDS = 5.0
"""Submission and publish may lie so far apart; a job that is older than a running one by more was overtaken."""
PROMOTE_SECONDS = 5.0
"""Pause between two looks for jobs that have waited too long; it reads the whole backlog."""
CHILDREN_PER_PLACE = 4
"""Worker children for each place of a promoted job in the first queue; there is always one place."""


class Sweeper:
    """Sweeps until it is told to stop."""

    def __init__(
        self,
        database: Database,
        app: JobQueue,
        *,
        pause_seconds: float,
        stranded_seconds: float,
        priority_wait_seconds: float = 600,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        """Describe the sweeper; nothing happens yet.

        Args:
            database: Where the jobs are.
            app: Where they are published.
            pause_seconds: Between two rounds.
            stranded_seconds: Age of a published job that counts as lost when the broker is empty.
            priority_wait_seconds: Age at which a waiting job may go before higher priorities.
            tidy: Called in each round, for what is not urgent.
        """
        self._database = database
        self._app = app
        self._pause_seconds = pause_seconds
        self._stranded_seconds = stranded_seconds
        self._priority_wait_seconds = priority_wait_seconds
        self._tidy = tidy
        self._promote_at = clock.monotonic()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """End after the current round."""
        self._stopping.set()

    def run(self, after_round: Callable[[], None] = lambda: None) -> None:
        """Sweep until ``stop``; each round calls ``after_round``, whatever became of it."""
        while not self._stopping.is_set():
            published = 0
            try:
                published = self.sweep()
            except errors.DatabaseUnavailable as error:
                log.warning(
                    "The database is away; sweeping goes on when it is back.",
                    event_name="sweep.failed",
                    error=str(error),
                )
            after_round()
            self._stopping.wait(BUSY_SECONDS if published >= LEAST_WINDOW // 2 else self._pause_seconds)

    def sweep(self) -> int:
        """Do one round; return how many jobs were published."""
        expire_leases(self._database)
        end_late_jobs(self._database)
        self._tidy()
        mark, depth = queue.epoch(self._app), queue.depth(self._app)
        if depth is None:  # without the broker nothing can be published, and nothing is known to be lost
            return 0
        if mark is not None:
            notice_new_broker(self._database, mark)
        forget_lost_messages(self._database, depth=depth, stranded_seconds=self._stranded_seconds)
        if clock.monotonic() >= self._promote_at:
            self._promote_at = clock.monotonic() + PROMOTE_SECONDS
            promote_overdue(self._database, self._app, wait_seconds=self._priority_wait_seconds)
        return publish_due(self._database, self._app, depth=depth)


def expire_leases(database: Database) -> list[str]:
    """Take back the jobs of workers that fell silent. Looks before it locks: a round without news writes nothing."""
    with database.read() as connection:
        if not jobs.has_expired(connection):
            return []
    with database.write() as connection:
        expired = jobs.expire(connection)
    if expired:
        log.warning("Leases ran out; the jobs are tried again.", event_name="sweep.expired", job_ids=expired)
    return expired


def end_late_jobs(database: Database) -> list[str]:
    """End the jobs that are past their deadline. Looks before it locks, as above."""
    with database.read() as connection:
        if not jobs.has_lapsed(connection):
            return []
    with database.write() as connection:
        late = jobs.lapse(connection)
    if late:
        log.warning("Jobs did not end before their deadline; they failed.", event_name="sweep.lapsed", job_ids=late)
    return late


def notice_new_broker(database: Database, mark: str) -> int:
    """Forget all publishing where the broker lost its mark, and with it all messages; return of how many jobs.

    The window bounds how many are published again at a time, so an empty broker costs one window of messages.
    """
    with database.read() as connection:
        known = broker_epoch.known(connection)
    if known == mark:
        return 0
    with database.write() as connection:
        forgotten = broker_epoch.note(connection, mark, instead_of=known)
    if forgotten:
        log.warning(
            "The broker lost its data; the jobs are published again.", event_name="sweep.epoch", count=forgotten
        )
    return forgotten


def promote_overdue(database: Database, app: JobQueue, *, wait_seconds: float) -> int:
    """Put jobs that have waited too long behind higher priorities into the first queue; return how many."""
    with database.read() as connection:
        places = max(1, len(workers.live_children(connection)) // CHILDREN_PER_PLACE)
        found = promotion.overdue(connection, wait_seconds=wait_seconds, places=places)
    if not found:
        return 0
    with database.write() as connection:
        promoted = promotion.promote(connection, found, wait_seconds=wait_seconds)
    return sum(queue.publish(app, job_id, "high") for job_id in sorted(promoted))


def forget_lost_messages(database: Database, *, depth: int, stranded_seconds: float) -> set[str]:
    """Find the jobs whose message is gone, so that they are published again.

    Args:
        database: Where the jobs are.
        depth: Messages in the broker, read just before.
        stranded_seconds: With an empty broker, a published job that nobody claimed for so long is lost.
    """
    with database.read() as connection:
        if depth == 0:
            lost = publish_window.stranded(connection, older_than_seconds=stranded_seconds)
        else:
            lost = publish_window.overtaken(connection, older_than_seconds=OVERTAKEN_SECONDS)
    if not lost:
        return set()
    with database.write() as connection:
        forgotten = publish_window.forget_published(connection, lost)
    log.warning("Messages were lost; the jobs are published again.", event_name="sweep.lost", count=len(forgotten))
    return forgotten


def publish_due(database: Database, app: JobQueue, *, depth: int) -> int:
    """Publish the next due jobs, up to the window; return how many the broker took.

    They are noted first and published then: of several sweepers one publishes each, and a sweeper that dies in between
    leaves jobs that look lost, which the next round mends.
    """
    due = _next_due(database, depth)
    if not due:
        return 0
    with database.write() as connection:
        marked = publish_window.mark_published(connection, [job_id for job_id, _ in due])
    wanted = [(job_id, priority) for job_id, priority in due if job_id in marked]
    refused = [job_id for job_id, priority in wanted if not queue.publish(app, job_id, priority)]
    if refused:
        with database.write() as connection:
            publish_window.forget_published(connection, refused)
    return len(wanted) - len(refused)


def _next_due(database: Database, depth: int) -> list[tuple[str, PriorityName]]:
    with database.read() as connection:
        window = max(LEAST_WINDOW, WINDOW_PER_CHILD * len(workers.live_children(connection)))
        if depth >= window:
            return []
        return publish_window.due_for_publish(connection, limit=window - depth)
