"""What a worker does with a job and its company: claim, read each, write down the ends. Knows nothing of Celery."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from shared import clock, jobs, registry
from shared.jobs import Job
from worker.jobs import patience
from worker.jobs.attempt import Attempt
from worker.jobs.readers import Workplace

if TYPE_CHECKING:  # OpenCV and onnxruntime are loaded in the children only, after the fork
    from worker.ocr.text.reader import LineRecognizer

log = structlog.get_logger(__name__)

TOGETHER_SECONDS = 0.2
"""What was read for so long waits no longer for the rest of its company; it is written down, and the rest read then."""


STAY_SECONDS = 0.25
"""For so long more jobs like the first are taken; then other priorities and kinds have their turn."""


class ModelsChanged(Exception):  # noqa: N818  (reads as what happened)
    """Something else was activated since this place was made ready; nothing was claimed. Follow, and try again."""


def work(job_id: str, recognizer: LineRecognizer, place: Workplace, *, owner: str) -> Job | None:
    """Do one job from claim to end, and with it its share of small ones like it that wait (``shared.jobs.company``).

    Args:
        job_id: From the message; a hint only.
        recognizer: Reads the lines.
        place: Database, uploads, limits.
        owner: ``NODE/TASK`` under which the jobs are claimed.

    Returns:
        The job as it was claimed, or None when there was nothing to do.

    Raises:
        DatabaseUnavailable: The claim could not be written; the sweeper publishes the job again.
        ModelsChanged: The place does not read with what is active.
    """
    with place.database.write(is_synced=False) as connection:  # undone by a loss of power, the jobs wait as before
        job = jobs.claim(connection, job_id, owner=owner, lease_seconds=place.lease_seconds)
        if job is None:
            log.debug(
                "Nothing to do: the job is taken, ended, or not due.", event_name="job.not_claimed", job_id=job_id
            )
            return None
        _require_current(connection, place)
        is_sociable = jobs.is_sociable(job)
        company = jobs.claim_like(connection, job, lease_seconds=place.lease_seconds) if is_sociable else []
    until = clock.monotonic() + STAY_SECONDS
    _read_together([job, *company], recognizer, place)
    while is_sociable and clock.monotonic() < until:
        more = _more_like(job, place)
        if not more:
            break
        _read_together(more, recognizer, place)
    return job


def _more_like(job: Job, place: Workplace) -> list[Job]:
    try:
        with place.database.write(is_synced=False) as connection:
            more = jobs.claim_like(connection, job, lease_seconds=place.lease_seconds, is_first=False)
            if more:
                _require_current(connection, place)
    except ModelsChanged:
        return []
    return more


def _require_current(connection: Connection, place: Workplace) -> None:
    """Keep a job from being read with a model of before: asked after the claim, by whose transaction it is undone."""
    if registry.newest(connection) != place.generation:
        raise ModelsChanged


def _read_together(claimed: Sequence[Job], recognizer: LineRecognizer, place: Workplace) -> None:
    with ExitStack() as stack:
        attempts = [stack.enter_context(Attempt(one, place)) for one in claimed]
        read: list[Attempt] = []
        since = clock.monotonic()
        for attempt in attempts:
            if attempt.read(recognizer):
                read.append(attempt)
            if attempt is attempts[-1] or clock.monotonic() - since > TOGETHER_SECONDS:
                _write_down(read, place)
                read, since = [], clock.monotonic()


def _write_down(read: Sequence[Attempt], place: Workplace) -> None:
    """Write the ends of attempts in one transaction. Where the database stays away, leases run out, and the sweeper
    takes over."""
    if not read:
        return

    def write(connection: Connection) -> list[bool]:
        rows = jobs.Rows()
        written = [attempt.write(connection, rows) for attempt in read]
        rows.add(connection)
        return written

    try:
        written = patience.write(place.database, write) or []
    except Exception:
        if len(read) == 1:
            raise
        log.exception("Jobs could not be written down together; each is by itself.", event_name="job.not_together")
        with ExitStack() as each:  # one that raises keeps none from its turn
            for attempt in reversed(read):
                each.callback(_write_down, [attempt], place)
        return
    place.news.tell([attempt.job_id for attempt, is_written in zip(read, written, strict=False) if is_written])
    for attempt, is_written in zip(read, written, strict=False):
        attempt.settle(is_written=is_written)
