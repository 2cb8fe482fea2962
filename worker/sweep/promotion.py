"""Priorities without starvation: what has waited too long gets one of a few places in the first queue.

Workers take from the queues strictly in order, so as long as `high` holds a message, `bulk` gets nothing. A message is
only a hint, so the sweeper may simply put a second one for the same job into the first queue. The places are few: the
flood of a bulk load must not turn into a flood of urgent jobs.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from shared.database import database_now
from shared.jobs.queries import is_state
from shared.jobs.record import State
from shared.tables import jobs

AGAIN_SECONDS = 60.0
"""A promoted job that nobody took for so long gives its place back: its message may be lost."""


def overdue(connection: Connection, *, wait_seconds: float, places: int) -> list[str]:
    """Return the jobs to promote now: the oldest that wait behind a higher priority, as many as places are free."""
    queued = is_state(State.QUEUED)
    taken = select(func.count()).where(queued, jobs.c.promoted_at >= database_now(-AGAIN_SECONDS))
    free = places - connection.execute(taken).scalar_one()
    if free <= 0:
        return []
    first = select(func.min(jobs.c.priority)).where(queued, _is_not_promoted()).scalar_subquery()
    query = select(jobs.c.id).where(_is_overdue(wait_seconds), jobs.c.priority > first).order_by(jobs.c.id)
    return list(connection.execute(query.limit(free)).scalars())


def promote(connection: Connection, job_ids: list[str], *, wait_seconds: float) -> set[str]:
    """Give the jobs their places; return the ids that were still overdue. Of several sweepers one gets each."""
    query = update(jobs).where(jobs.c.id.in_(job_ids), _is_overdue(wait_seconds)).values(promoted_at=database_now())
    return set(connection.execute(query.returning(jobs.c.id)).scalars())


def _is_overdue(wait_seconds: float) -> ColumnElement[bool]:
    due = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= database_now())
    return and_(is_state(State.QUEUED), due, jobs.c.created_at < database_now(-wait_seconds), _is_not_promoted())


def _is_not_promoted() -> ColumnElement[bool]:
    return or_(jobs.c.promoted_at.is_(None), jobs.c.promoted_at < database_now(-AGAIN_SECONDS))
