"""The life of a job. The only module that writes a job's state, each write with its audit event in one transaction.

Every write is a compare-and-set: it names the state (and the lease token) it starts from, and zero rows changed is a
named outcome (``None`` or ``False``), never an error. Read it as sentences: ``jobs.claim(connection, job_id, …)``.
"""

from __future__ import annotations

import secrets
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, and_, insert, literal, or_, select, update

from shared import audit, deliveries, errors, ids
from shared.database import database_now
from shared.delivery_record import EVENT_TYPES
from shared.job_queries import AnyRow, backlog, counts, final_among, get, list_jobs, to_job
from shared.job_record import PRIORITIES, Job, State, Submission
from shared.tables import jobs, results

__all__ = [
    "Job",
    "State",
    "Submission",
    "backlog",
    "claim",
    "counts",
    "expire",
    "fail",
    "final_among",
    "get",
    "has_expired",
    "heartbeat",
    "is_state",
    "list_jobs",
    "release",
    "release_node",
    "submit",
    "succeed",
]

RETRY_SECONDS = (2, 10, 60)
"""Pause before the second, third and every later attempt of a job whose attempt failed with a retryable error."""

TIME_LIMIT: Literal["time limit"] = "time limit"
"""Why a job was given back: it would only take as long again, so it ends failed at once."""

_RESTORE_LIMIT = 500
_NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_token": None}


def submit(connection: Connection, submission: Submission, *, max_attempts: int) -> Job:
    """Accept a job: queued, attempt 0.

    It is noted as published right here, on the assumption that the caller publishes it after the commit; so the normal
    life of a job needs no write for that. Where the message does not arrive, the sweeper notices and publishes again.
    """
    values = {
        **vars(submission),
        "id": ids.new("job"),
        "state": State.QUEUED,
        "priority": PRIORITIES.index(submission.priority),
        "attempt": 0,
        "max_attempts": max_attempts,
        "created_at": database_now(),
        "published_at": database_now(),
        "publish_count": 1,
    }
    row = connection.execute(insert(jobs).values(values).returning(*jobs.c)).one()
    _record(connection, row, audit.SUBMITTED, actor="client")
    return to_job(row)


def claim(connection: Connection, job_id: str, *, owner: str, lease_seconds: float) -> Job | None:
    """Take a job: queued and due, or running with a lease that has run out. Counts the attempt.

    Returns:
        The job with its fresh lease token, or None when somebody else has it, it is not due, or it has ended.
    """
    due = and_(is_state(State.QUEUED), or_(jobs.c.not_before.is_(None), jobs.c.not_before <= database_now()))
    abandoned = and_(is_state(State.RUNNING), jobs.c.lease_until < database_now())
    row = _move(
        connection,
        and_(jobs.c.id == job_id, jobs.c.attempt < jobs.c.max_attempts, or_(due, abandoned)),
        state=State.RUNNING,
        attempt=jobs.c.attempt + 1,
        started_at=database_now(),
        not_before=None,
        owner=owner,
        lease_until=database_now(lease_seconds),
        lease_token=secrets.token_hex(16),
    )
    if row is None:
        return None
    _record(connection, row, audit.CLAIMED, actor=owner)
    return to_job(row)


def heartbeat(connection: Connection, job_id: str, lease_token: str, *, lease_seconds: float) -> bool:
    """Extend the lease. False: it is lost, and the work must be abandoned."""
    row = _move(connection, _held(job_id, lease_token), lease_until=database_now(lease_seconds))
    return row is not None


def succeed(
    connection: Connection,
    job_id: str,
    lease_token: str,
    *,
    result: dict[str, Any],
    timings_ms: dict[str, float],
) -> bool:
    """End the job with its result. False: the lease was lost, and nothing is stored."""
    row = _move(
        connection,
        _held(job_id, lease_token),
        state=State.SUCCEEDED,
        finished_at=database_now(),
        timings_ms=timings_ms,
        error=None,
        **_NO_LEASE,
    )
    if row is None:
        return False
    connection.execute(insert(results).values(job_id=job_id, created_at=database_now(), document=result))
    _record(
        connection,
        row,
        audit.SUCCEEDED,
        actor=row.owner,
        confidence=result.get("confidence"),
        min_confidence=result.get("min_confidence"),
        model=result.get("model"),
    )
    return True


def fail(connection: Connection, job_id: str, lease_token: str, *, error: errors.OcrelayError) -> bool:
    """End the attempt with an error: queued again after a pause if a retry can help and attempts are left, else failed.

    Returns:
        False when the lease was lost; nothing is stored then.
    """
    held = _held(job_id, lease_token)
    row = None
    if error.retryable:
        row = _retry(connection, held, error.to_json())
    if row is None:
        row = _end_failed(connection, held, error.to_json())
    if row is None:
        return False
    event = audit.FAILED if row.state == State.FAILED else audit.RETRIED
    _record(connection, row, event, actor=row.owner, code=error.code)
    return True


def release(connection: Connection, *, owner: str, reason: Literal["crash", "shutdown", "time limit"]) -> list[str]:
    """Give back what an owner holds: it crashed, or it shuts down before it could finish.

    After a crash the attempt counts, and the last one ends as ``poison_job``; after an orderly shutdown the attempt
    is given back, since the job is not to blame. After the time limit it ends failed: it would only take as long again.

    Returns:
        Ids of the jobs that were moved.
    """
    return _restore(connection, jobs.c.owner == owner, audit.RELEASED, actor=owner, reason=reason)


def release_node(connection: Connection, *, node: str, reason: Literal["crash", "shutdown"]) -> list[str]:
    """Give back what all workers of a node hold. Only for who knows that none of them is alive. See ``release``."""
    mine = jobs.c.owner.startswith(node + "/", autoescape=True)
    return _restore(connection, mine, audit.RELEASED, actor=node, reason=reason)


def has_expired(connection: Connection) -> bool:
    """Return whether any lease has run out. Reading only, so that a sweeper with nothing to do locks nothing."""
    query = select(jobs.c.id).where(is_state(State.RUNNING), jobs.c.lease_until < database_now()).limit(1)
    return connection.execute(query).first() is not None


def expire(connection: Connection) -> list[str]:
    """Take back every lease that has run out: queued again, or ended as ``poison_job`` at the last attempt.

    Returns:
        Ids of the jobs that were moved.
    """
    return _restore(
        connection, jobs.c.lease_until < database_now(), audit.EXPIRED, actor="sweeper", reason="lease expired"
    )


def is_state(state: State) -> ColumnElement[bool]:
    """Compare with a literal, not a parameter: only so does SQLite use the partial indexes."""
    return jobs.c.state == literal(str(state), literal_execute=True)


def _held(job_id: str, lease_token: str) -> ColumnElement[bool]:
    return and_(jobs.c.id == job_id, is_state(State.RUNNING), jobs.c.lease_token == lease_token)


def _move(connection: Connection, condition: ColumnElement[bool], **values: Any) -> AnyRow | None:
    return connection.execute(update(jobs).where(condition).values(**values).returning(*jobs.c)).one_or_none()


def _retry(connection: Connection, held: ColumnElement[bool], error: dict[str, Any]) -> AnyRow | None:
    attempt = connection.execute(select(jobs.c.attempt).where(held)).scalar()
    if attempt is None:
        return None
    pause_seconds = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1]
    return _move(
        connection,
        and_(held, jobs.c.attempt < jobs.c.max_attempts),
        **_queued_again(error),
        not_before=database_now(pause_seconds),
    )


def _end_failed(connection: Connection, held: ColumnElement[bool], error: dict[str, Any]) -> AnyRow | None:
    return _move(connection, held, state=State.FAILED, finished_at=database_now(), error=error, **_NO_LEASE)


def _queued_again(error: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "state": State.QUEUED,
        "started_at": None,
        "published_at": None,
        "publish_count": 0,
        "error": error,
        **_NO_LEASE,
    }


def _restore(
    connection: Connection, condition: ColumnElement[bool], event: str, *, actor: str, reason: str
) -> list[str]:
    found = connection.execute(
        select(jobs.c.id, jobs.c.lease_token, jobs.c.attempt, jobs.c.max_attempts)
        .where(is_state(State.RUNNING), condition)
        .limit(_RESTORE_LIMIT)
        .with_for_update(skip_locked=True)
    ).all()
    moved = [_restore_one(connection, row, event, actor=actor, reason=reason) for row in found]
    return [job_id for job_id in moved if job_id is not None]


def _restore_one(connection: Connection, found: AnyRow, event: str, *, actor: str, reason: str) -> str | None:
    held = _held(found.id, found.lease_token)
    given_back = 1 if reason == "shutdown" else 0
    final: errors.JobError = errors.PoisonJob(attempts=found.attempt, last=reason)
    if reason == TIME_LIMIT:
        final = errors.TimeLimitExceeded()
    if reason != TIME_LIMIT and found.attempt - given_back < found.max_attempts:
        row = _move(connection, held, **_queued_again(None), attempt=jobs.c.attempt - given_back)
        code = None
    else:
        row = _end_failed(connection, held, final.to_json())
        event, code = audit.FAILED, final.code
    if row is None:
        return None
    _record(connection, row, event, actor=actor, code=code)
    return str(row.id)


def _record(connection: Connection, row: AnyRow, event: str, *, actor: str, **more: Any) -> None:
    audit.record(
        connection,
        event=event,
        actor=actor,
        job_id=row.id,
        attempt=row.attempt,
        client_ip=row.client_ip,
        sha256=row.sha256,
        outcome=row.state,
        **more,
    )
    if event in EVENT_TYPES:
        deliveries.plan(connection, to_job(row), event)
