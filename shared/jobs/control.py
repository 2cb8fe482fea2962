"""What people order of a job that exists: cancel, retry, erase. Called as ``jobs.cancel`` and so on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, or_, select

from shared import errors
from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import database_now
from shared.jobs.moves import NO_LEASE, move, queued_again, record, remove
from shared.jobs.queries import is_state, to_job
from shared.jobs.record import FINAL_STATES, Job, State
from shared.tables import jobs


def cancel(connection: Connection, job_id: str, *, actor: Actor) -> Job | None:
    """End a job that has not ended: nobody will claim it, and a worker that has it loses it.

    Returns:
        The job, or None where there is nothing to cancel: it has ended, or does not exist.
    """
    error = errors.JobCancelled()
    values = {"finished_at": database_now(), "error": error.to_json(), **NO_LEASE}
    row = move(connection, "cancel", State.CANCELLED, jobs.c.id == job_id, **values)
    if row is None:
        return None
    record(connection, row, trail.Event.CANCELLED, actor=actor, code=error.code)
    return to_job(row)


def retry(connection: Connection, job_id: str, *, attempts: int, is_published: bool, actor: Actor) -> Job | None:
    """Queue a job again that failed or was cancelled, with so many attempts more.

    A deadline that it had is over. The attempts that it had stay counted, so that every attempt in the audit trail has
    a number of its own.

    Args:
        connection: A write transaction.
        job_id: Which one.
        attempts: So many more may fail.
        is_published: The caller publishes it after the commit; else the sweeper does.
        actor: Who asks, for the audit trail.

    Returns:
        The job, or None where there is nothing to try again: it is open, it succeeded, or it does not exist.
    """
    values: dict[str, Any] = {
        **queued_again(None),
        "not_before": None,
        "deadline_at": None,
        "finished_at": None,
        "max_attempts": jobs.c.attempt + attempts,
    }
    if is_published:
        values |= {"published_at": database_now(), "publish_count": 1}
    row = move(connection, "retry", State.QUEUED, jobs.c.id == job_id, **values)
    if row is None:
        return None
    record(connection, row, trail.Event.REQUEUED, actor=actor)
    return to_job(row)


def erase(connection: Connection, job_id: str, *, actor: Actor) -> Job | None:
    """Delete a job that has ended, with its text; its audit events stay.

    The caller discards the upload after the commit, if no other job needs it.

    Returns:
        The job as it was, or None where there is nothing to erase: it is open, or does not exist.
    """
    row = remove(connection, jobs.c.id == job_id)
    if row is None:
        return None
    record(connection, row, trail.Event.DELETED, actor=actor, outcome="deleted")
    return to_job(row)


@dataclass(frozen=True)
class Failed:
    """Which failed jobs are meant; every filter narrows."""

    code: str | None = None
    """Those that failed with this code."""
    reference: str | None = None
    """Those with this reference."""
    batch_id: str | None = None
    """Those of this batch."""
    key_id: str | None = None
    """Those that this API key submitted."""


def failed(connection: Connection, which: Failed, *, limit: int, after: str = "") -> list[Job]:
    """Return failed jobs that are younger than one, the oldest first, to be tried again. Reading is enough."""
    query = select(jobs).where(is_state(State.FAILED), jobs.c.id > after).order_by(jobs.c.id).limit(limit)
    if which.code is not None:
        query = query.where(jobs.c.error["code"].as_string() == which.code)
    if which.reference is not None:
        query = query.where(jobs.c.reference == which.reference)
    if which.batch_id is not None:
        query = query.where(jobs.c.batch_id == which.batch_id)
    if which.key_id is not None:
        query = query.where(jobs.c.key_id == which.key_id)
    return [to_job(row) for row in connection.execute(query)]


def ended_before(connection: Connection, age_seconds: float, *, limit: int) -> list[str]:
    """Return ids of jobs that ended longer ago than this. Reading is enough."""
    ended = or_(*(is_state(state) for state in State if state in FINAL_STATES))
    old = jobs.c.finished_at < database_now(-age_seconds)
    query = select(jobs.c.id).where(ended, jobs.c.finished_at.is_not(None), old).order_by(jobs.c.finished_at)
    return list(connection.execute(query.limit(limit)).scalars())
