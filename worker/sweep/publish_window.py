"""Which queued jobs need a message in the broker, and which messages were lost.

A job is noted as published when it is submitted, so its normal life costs no write here. What the sweeper mends:

* a job that waits for a retry, or came back from a dead worker, was never published again;
* the broker lost messages (killed, flushed) or never got them (it was away when the job was submitted).

Only a window of jobs is published again at a time; the rest waits in SQL. So a lost broker costs one window of
duplicate messages at most, and each duplicate is refused at the claim.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from shared.database import database_now
from shared.jobs.queries import is_state
from shared.jobs.record import State
from shared.options import PRIORITIES, PriorityName
from shared.tables import jobs

_LIMIT = 10_000
_DOUBLINGS = 5


def due_for_publish(connection: Connection, *, limit: int) -> list[tuple[str, PriorityName]]:
    """Return (id, priority) of queued jobs that are due and have no message, in the order in which they are served."""
    query = select(jobs.c.id, jobs.c.priority).where(_is_due()).order_by(jobs.c.priority, jobs.c.id).limit(limit)
    return [(row.id, PRIORITIES[row.priority]) for row in connection.execute(query)]


def mark_published(connection: Connection, job_ids: list[str]) -> set[str]:
    """Note the jobs as published; return the ids that were still due, which is what the caller shall publish.

    Of several sweepers only one gets each id.
    """
    query = (
        update(jobs)
        .where(jobs.c.id.in_(job_ids), _is_due())
        .values(published_at=database_now(), publish_count=jobs.c.publish_count + 1)
    )
    return set(connection.execute(query.returning(jobs.c.id)).scalars())


def forget_published(connection: Connection, job_ids: list[str]) -> set[str]:
    """Note that the messages of these jobs are gone; the next round publishes them again. Return the ids changed."""
    query = update(jobs).where(jobs.c.id.in_(job_ids), _is_published()).values(published_at=None)
    return set(connection.execute(query.returning(jobs.c.id)).scalars())


def stranded(connection: Connection, *, older_than_seconds: float) -> list[str]:
    """Return published jobs that nobody claimed for so long. They are lost if the broker holds no message at all.

    The patience doubles with every publish of a job, up to 16 times: something that swallows messages must not turn
    into a storm of them.
    """
    last = _DOUBLINGS - 1
    old = [
        and_(
            jobs.c.publish_count >= count + 1 if count == last else jobs.c.publish_count == count + 1,
            jobs.c.published_at < database_now(-older_than_seconds * 2**count),
        )
        for count in range(_DOUBLINGS)
    ]
    return list(connection.execute(select(jobs.c.id).where(_is_published(), or_(*old)).limit(_LIMIT)).scalars())


def overtaken(connection: Connection, *, older_than_seconds: float) -> list[str]:
    """Return published jobs whose message must be lost, because one that came later to the same queue is running.

    A queue is first in, first out. This finds losses while the broker is never empty: under load the rule of an empty
    broker would never hold. A job that was just published again is young, so it cannot be overtaken at once.
    """
    newest = select(jobs.c.priority, func.max(jobs.c.published_at)).where(is_state(State.RUNNING))
    lost = [
        and_(jobs.c.priority == priority, jobs.c.published_at < published_at - timedelta(seconds=older_than_seconds))
        for priority, published_at in connection.execute(newest.group_by(jobs.c.priority))
        if published_at is not None
    ]
    if not lost:
        return []
    return list(connection.execute(select(jobs.c.id).where(_is_published(), or_(*lost)).limit(_LIMIT)).scalars())


def _is_due() -> ColumnElement[bool]:
    waited = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= database_now())
    return and_(is_state(State.QUEUED), jobs.c.published_at.is_(None), waited)


def _is_published() -> ColumnElement[bool]:
    return and_(is_state(State.QUEUED), jobs.c.published_at.is_not(None))
