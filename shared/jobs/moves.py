"""The one statement that changes a job's state: compare-and-set, held to the table of moves, with its audit event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, or_, update
from sqlalchemy.sql.dml import ReturningUpdate

from shared.audit import trail
from shared.audit.actor import Actor
from shared.clock import timestamp
from shared.database import AnyRow
from shared.jobs import states
from shared.jobs.queries import is_state, to_job
from shared.jobs.record import State
from shared.jobs.wire import job_document
from shared.tables import jobs
from shared.webhooks import deliveries, endpoints
from shared.webhooks.record import EVENT_TYPES

ENDS = (trail.Event.SUCCEEDED, trail.Event.FAILED, trail.Event.CANCELLED)
LISTENED = "is_listened_to"
NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_token": None}


def move(
    connection: Connection, name: str, target: State, condition: ColumnElement[bool], **values: Any
) -> AnyRow | None:
    """Set the state of one job where the condition holds and the table of moves allows it; None: nothing changed."""
    return connection.execute(moving(name, target, condition, **values)).one_or_none()


def moving(
    name: str, target: State, condition: ColumnElement[bool], *told: ColumnElement[Any], **values: Any
) -> ReturningUpdate[Any]:
    """The statement of such a move, for ``move``, or to be built once and executed often.

    Whether any endpoint listens it says along with the row, so that an end of which nobody is told asks no further;
    and whatever else shall be told.
    """
    listened = endpoints.is_any_enabled().label(LISTENED)
    where = (_allowed(name, target), condition)
    return update(jobs).where(*where).values(state=target, **values).returning(*jobs.c, listened, *told)


def remove(connection: Connection, condition: ColumnElement[bool]) -> AnyRow | None:
    """Delete one job that has ended, with its result; None: nothing changed."""
    return connection.execute(delete(jobs).where(_allowed("erase", None), condition).returning(*jobs.c)).one_or_none()


def held(job_id: str, lease_token: str) -> ColumnElement[bool]:
    """The job is running under this lease."""
    return and_(jobs.c.id == job_id, is_state(State.RUNNING), jobs.c.lease_token == lease_token)


def held_by_given() -> ColumnElement[bool]:
    """The same of a statement that is given ``of_job`` and ``of_lease`` when it is executed."""
    return and_(jobs.c.id == bindparam("of_job"), is_state(State.RUNNING), jobs.c.lease_token == bindparam("of_lease"))


def queued_again(error: dict[str, Any] | None) -> dict[str, Any]:
    """Values of a job that comes back into the queue; the sweeper publishes it."""
    return {
        "started_at": None,
        "published_at": None,
        "publish_count": 0,
        "promoted_at": None,
        "error": error,
        **NO_LEASE,
    }


def record(connection: Connection, row: AnyRow, event: trail.Event, *, actor: Actor, **more: Any) -> None:
    """Write the audit event of a move and plan its deliveries, in its transaction."""
    trail.record(connection, **facts_of(row, event, actor=actor, **more))
    tell(connection, row, event)


def facts_of(row: AnyRow, event: trail.Event, *, actor: Actor, **more: Any) -> trail.Facts:
    """What the audit event of a move tells."""
    facts: trail.Facts = {
        "event": event,
        "actor": actor.for_job(key_id=row.key_id, address=row.client_ip),
        "job_id": row.id,
        "attempt": row.attempt,
        "sha256": row.sha256,
        "duration_ms": _duration_ms(row) if event in ENDS else None,
        "outcome": row.state,
    }
    return {**facts, **more}  # type: ignore[typeddict-item]


def tell(connection: Connection, row: AnyRow, event_type: str) -> None:
    """Plan the deliveries of a move, if anybody wants to be told of it."""
    if event_type not in EVENT_TYPES or not (row.webhook is not None or getattr(row, LISTENED, True)):
        return
    job = to_job(row)
    deliveries.plan(
        connection,
        event_type,
        {"type": event_type, "timestamp": timestamp(job.finished_at), "data": job_document(job)},
        own_url=job.webhook,
        job_id=job.id,
        key_id=job.key_id,
        request_id=job.request_id,
    )


def _duration_ms(row: AnyRow) -> int | None:
    """How long the last attempt of a job took that has ended; None where there was none."""
    if row.finished_at is None or row.started_at is None:
        return None
    duration: timedelta = row.finished_at - row.started_at
    return duration // timedelta(milliseconds=1)


def _allowed(name: str, target: State | None) -> ColumnElement[bool]:
    return or_(*(is_state(source) for source in states.sources(name, target)))
