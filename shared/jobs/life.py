"""The life of a job from its submission to its end; each write with its audit event in one transaction.

Taking jobs back is in ``recovery``, what people order in ``control``; all of it goes through ``moves``, which knows
the table of moves (``states``).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    String,
    Text,
    and_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert, ReturningUpdate

from shared import errors, ids
from shared.audit import trail
from shared.audit.actor import Actor, copy_of, worker
from shared.database import AnyRow, database_now, seconds
from shared.jobs import company, pages
from shared.jobs.moves import NO_LEASE, facts_of, held, held_by_given, move, moving, queued_again, record, tell
from shared.jobs.pages import Assembled
from shared.jobs.queries import is_state, to_job
from shared.jobs.record import Job, State, Submission
from shared.jobs.stored_result import from_stored, to_stored
from shared.options import PRIORITIES
from shared.tables import jobs, results

_ADD_RESULT = insert(results).values(created_at=database_now())


@dataclass(frozen=True)
class Rows:
    """Results and events that are added together: a statement for all costs little more than one for each."""

    results: list[dict[str, Any]] = field(default_factory=list)
    events: list[trail.Facts] = field(default_factory=list)

    def add(self, connection: Connection) -> None:
        """Add them, in the transaction in which the jobs have ended."""
        if self.results:
            connection.execute(_ADD_RESULT, self.results)
        if self.events:
            trail.record_all(connection, self.events)


RETRY_SECONDS = (2, 10, 60)
"""Pause before the second, third and every later attempt of a job whose attempt failed with a retryable error."""


def submit(connection: Connection, submission: Submission, *, max_attempts: int, is_published: bool = True) -> Job:
    """Accept a job: queued, attempt 0.

    It is noted as published right here, on the assumption that the caller publishes it after the commit; so the normal
    life of a job needs no write for that. Where the message does not arrive, the sweeper notices and publishes again;
    and where none is sent, since it shall come along with others, it publishes whatever is left.
    """
    noted_at = "published_at" if is_published else None
    more = {"state": State.QUEUED, "max_attempts": max_attempts, "publish_count": int(is_published)}
    row = _insert(connection, submission, noted_at, **more)
    record(connection, row, trail.Event.SUBMITTED, actor=submission.actor)
    return to_job(row)


def submit_copy(connection: Connection, submission: Submission, source_id: str, *, max_attempts: int) -> Job | None:
    """Accept a job for a document that an equal reader has read before with the same options: it succeeds at once.

    It gets a copy of the result, so erasing either job leaves the other whole.

    Returns:
        The job, or None when the source has been erased meanwhile; nothing is stored then.
    """
    found = connection.execute(
        select(results.c.document, results.c.reader_sha256, jobs.c.pages_done)
        .join_from(results, jobs)
        .where(results.c.job_id == source_id)
    ).one_or_none()
    if found is None:
        return None
    row = _insert(
        connection,
        submission,
        "finished_at",
        state=State.SUCCEEDED,
        max_attempts=max_attempts,
        copied_from=source_id,
        publish_count=0,
        timings_ms={"queue": 0.0, "total": 0.0},
        pages_done=found.pages_done,
    )
    record(connection, row, trail.Event.SUBMITTED, actor=submission.actor)
    _store_result(connection, row, found.document, found.document, found.reader_sha256, actor=copy_of(source_id))
    return to_job(row, result=from_stored(found.document).to_json())


def claim(connection: Connection, job_id: str, *, owner: str, lease_seconds: float) -> Job | None:
    """Take a job: queued and due, or running with a lease that has run out. Counts the attempt.

    Returns:
        The job with its fresh lease token, or None when somebody else has it, it is not due, or it has ended.
    """
    given = {"of_job": job_id, "by": owner, "for_seconds": lease_seconds, "under": secrets.token_hex(8)}
    row = connection.execute(_claiming(), given).one_or_none()
    if row is None:
        return None
    record(connection, row, trail.Event.CLAIMED, actor=worker(owner))
    return to_job(row, others_wait=row.others_wait)


def claim_like(connection: Connection, first: Job, *, lease_seconds: float, is_first: bool = True) -> list[Job]:
    """Take jobs that wait and may be read in company of one that was claimed, under the same owner: its share of them,
    for every worker child that lives has one. See ``company``.

    Args:
        connection: A write transaction.
        first: As it was claimed; it is sociable.
        lease_seconds: Of each.
        is_first: It was claimed just now; else it has ended meanwhile.
    """
    given = {
        **company.given(first, is_first=is_first),
        "by": first.owner,
        "for_seconds": lease_seconds,
        "under": secrets.token_hex(8),
    }
    rows = sorted(connection.execute(_claiming_company(), given), key=attrgetter("id"))
    if rows:
        by = worker(str(first.owner))
        trail.record_all(connection, (facts_of(row, trail.Event.CLAIMED, actor=by) for row in rows))
    return [to_job(row) for row in rows]


def heartbeat(connection: Connection, job_id: str, lease_token: str, *, lease_seconds: float) -> bool:
    """Extend the lease. False: it is lost, and the work must be abandoned."""
    query = update(jobs).where(held(job_id, lease_token)).values(lease_until=database_now(lease_seconds))
    return connection.execute(query).rowcount == 1


def succeed(
    connection: Connection,
    job_id: str,
    lease_token: str,
    *,
    result: dict[str, Any] | Assembled,
    timings_ms: dict[str, float],
    reader_sha256: str | None = None,
    rows: Rows | None = None,
) -> bool:
    """End the job with its result. False: the lease was lost, and nothing is stored.

    Args:
        connection: A write transaction.
        job_id: Which one.
        lease_token: Of the claim.
        result: The document that was read: as a `result` object, or put together of its stored pages, which then go.
        timings_ms: By stage.
        reader_sha256: Of everything that decided the result beside bytes and options; None: it is never copied.
        rows: Takes the result and its event, to be added with those of others in the same transaction.
    """
    given = {
        "of_job": job_id,
        "of_lease": lease_token,
        "timings": timings_ms,
        "pages": result.page_count if isinstance(result, Assembled) else len(result.get("pages", ())),
    }
    row = connection.execute(_succeeding(), given).one_or_none()
    if row is None:
        return False
    by = worker(row.owner)
    if isinstance(result, Assembled):
        pages.forget(connection, job_id)
        _store_result(connection, row, _as_json(connection, result.document), result.summary, reader_sha256, actor=by)
    else:
        _store_result(connection, row, to_stored(result), result, reader_sha256, actor=by, rows=rows)
    return True


def fail(connection: Connection, job_id: str, lease_token: str, *, error: errors.OcrelayError) -> bool:
    """End the attempt with an error: queued again after a pause if a retry can help and attempts are left, else failed.

    Returns:
        False when the lease was lost; nothing is stored then.
    """
    mine = held(job_id, lease_token)
    row = None
    if error.retryable:
        row = _try_again(connection, mine, error.to_json())
    if row is None:
        values = {"finished_at": database_now(), "error": error.to_json(), **NO_LEASE}
        row = move(connection, "fail", State.FAILED, mine, **values)
    if row is None:
        return False
    event = trail.Event.FAILED if row.state == State.FAILED else trail.Event.RETRIED
    record(connection, row, event, actor=worker(row.owner), code=error.code)
    return True


@cache
def _claiming() -> ReturningUpdate[Any]:
    due = and_(is_state(State.QUEUED), or_(jobs.c.not_before.is_(None), jobs.c.not_before <= database_now()))
    abandoned = and_(is_state(State.RUNNING), jobs.c.lease_until < database_now())
    return _taking(
        and_(jobs.c.id == bindparam("of_job"), jobs.c.attempt < jobs.c.max_attempts, or_(due, abandoned)),
        company.others_wait().label("others_wait"),
    )


@cache
def _claiming_company() -> ReturningUpdate[Any]:
    return _taking(and_(is_state(State.QUEUED), jobs.c.id.in_(company.share())))


def _taking(condition: ColumnElement[bool], *told: ColumnElement[Any]) -> ReturningUpdate[Any]:
    """The statement of a claim. Of the jobs that it takes each has a token of its own."""
    return moving(
        "claim",
        State.RUNNING,
        condition,
        *told,
        attempt=jobs.c.attempt + 1,
        started_at=database_now(),
        not_before=None,
        owner=bindparam("by"),
        lease_until=database_now(seconds("for_seconds")),
        lease_token=bindparam("under", type_=String()).concat(func.substr(jobs.c.id, 15, 16)),
    )


@cache
def _succeeding() -> ReturningUpdate[Any]:
    return moving(
        "succeed",
        State.SUCCEEDED,
        held_by_given(),
        finished_at=database_now(),
        timings_ms=bindparam("timings"),
        pages_done=bindparam("pages"),
        error=None,
        **NO_LEASE,
    )


@cache
def _inserting(noted_at: str | None, has_deadline: bool) -> ReturningInsert[Any]:
    times = {"created_at": database_now()}
    if noted_at is not None:
        times[noted_at] = database_now()
    if has_deadline:
        times["deadline_at"] = database_now(seconds("deadline_seconds"))
    return insert(jobs).values(times).returning(*jobs.c)


def _insert(connection: Connection, submission: Submission, noted_at: str | None, **more: Any) -> AnyRow:
    """Insert the row; the time of acceptance is noted in one more column, where one is named."""
    given = vars(submission).copy()
    if submission.deadline_seconds is None:
        del given["deadline_seconds"]
    values = {
        **given,
        "id": ids.new("job"),
        "priority": PRIORITIES.index(submission.priority),
        "options_sha256": submission.options_sha256,
        "attempt": 0,
        **more,
    }
    return connection.execute(_inserting(noted_at, submission.deadline_seconds is not None), values).one()


def _as_json(connection: Connection, document: str) -> ColumnElement[Any]:
    """What a column of JSON takes a text as that is JSON already."""
    text = literal(document, Text())
    return cast(text, JSON()) if connection.dialect.name == "postgresql" else text


def _store_result(
    connection: Connection,
    row: AnyRow,
    document: dict[str, Any] | ColumnElement[Any],
    summary: Mapping[str, Any],
    reader_sha256: str | None,
    *,
    actor: Actor,
    rows: Rows | None = None,
) -> None:
    added = rows or Rows()
    given = {"job_id": row.id, "reader_sha256": reader_sha256}
    if isinstance(document, ColumnElement):
        connection.execute(_ADD_RESULT.values(document=document), given)
    else:
        added.results.append({**given, "document": document})
    facts = facts_of(
        row,
        trail.Event.SUCCEEDED,
        actor=actor,
        confidence=summary.get("confidence"),
        min_confidence=summary.get("min_confidence"),
        model=summary.get("model"),
        subject=(summary.get("stronger_model") or {}).get("name", "")[:30] or None,
    )
    added.events.append(facts)
    if rows is None:
        added.add(connection)
    tell(connection, row, trail.Event.SUCCEEDED)


def _try_again(connection: Connection, mine: ColumnElement[bool], error: dict[str, Any]) -> AnyRow | None:
    attempt = connection.execute(select(jobs.c.attempt).where(mine)).scalar()
    if attempt is None:
        return None
    pause_seconds = RETRY_SECONDS[min(attempt, len(RETRY_SECONDS)) - 1]
    return move(
        connection,
        "fail",
        State.QUEUED,
        and_(mine, jobs.c.attempt < jobs.c.max_attempts),
        **queued_again(error),
        not_before=database_now(pause_seconds),
    )
