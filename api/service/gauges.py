"""What is going on right now, for /metrics: what waits, what runs, who lives. Every question is bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, case, func, literal, or_, select, text

from shared import workers
from shared.audit import tallies
from shared.database import Database, database_now
from shared.jobs import queries as job_queries
from shared.jobs.record import State
from shared.options import PRIORITIES, PriorityName
from shared.tables import deliveries, jobs
from shared.webhooks import queries as delivery_queries
from shared.webhooks.record import DeliveryState
from shared.workers import WorkerChild

MAX_COUNTED = 100_000
"""Nothing is counted beyond this: the answer is as quick with a million rows, and means "very many" anyway."""
TIME_LIMIT_MS = 4000
"""Of each question to PostgreSQL; Prometheus gives up after ten seconds."""


@dataclass(frozen=True)
class Gauges:
    """The state of the whole service, whichever process asks."""

    queued: dict[PriorityName, int]
    """Jobs that wait, those that wait for a retry included."""
    oldest_seconds: float
    """Since the oldest job that is due was accepted; 0: none waits."""
    running: int
    """Jobs that workers hold."""
    deliveries: dict[str, int]
    """Deliveries that wait for their first attempt, wait for another one, or are under way."""
    overdue_seconds: float
    """How long the delivery that is due for longest is overdue; 0: none."""
    children: Sequence[WorkerChild]
    """Worker children that were heard of lately."""
    silences_seconds: dict[str, float]
    """By child: since it was last heard of."""
    sweeper_silence_seconds: float
    """Since any sweeper was last heard of."""
    tallies: dict[tallies.Key, float]
    """The sums over the past."""


def read(database: Database) -> Gauges:
    """Ask the database, in one transaction. Raises DatabaseUnavailable, also when it is too slow."""
    with database.read() as connection:
        if not database.is_sqlite:
            connection.execute(text(f"SET LOCAL statement_timeout = {TIME_LIMIT_MS}"))
        queued, oldest_seconds = _queue(connection)
        now = connection.execute(select(database_now())).scalar_one()
        children = workers.live_children(connection)
        return Gauges(
            queued=queued,
            oldest_seconds=oldest_seconds,
            running=_count(connection, jobs, job_queries.is_state(State.RUNNING)),
            deliveries=_deliveries(connection),
            overdue_seconds=_overdue_seconds(connection),
            children=children,
            silences_seconds={child.id: max(0.0, (now - child.heartbeat_at).total_seconds()) for child in children},
            sweeper_silence_seconds=tallies.silence_seconds(connection),
            tallies=tallies.read(connection),
        )


def _queue(connection: Connection) -> tuple[dict[PriorityName, int], float]:
    is_due = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= database_now())
    waiting = (
        select(jobs.c.priority, case((is_due, jobs.c.created_at)).label("since"))
        .where(job_queries.is_state(State.QUEUED))
        .limit(MAX_COUNTED)
        .subquery()
    )
    query = select(waiting.c.priority, func.count(), func.min(waiting.c.since), database_now())
    rows = list(connection.execute(query.group_by(waiting.c.priority)))
    found = {PRIORITIES[priority]: count for priority, count, _, _ in rows}
    ages = [(now - since).total_seconds() for _, _, since, now in rows if since is not None]
    return {name: found.get(name, 0) for name in PRIORITIES}, max([0.0, *ages])


def _deliveries(connection: Connection) -> dict[str, int]:
    is_queued = delivery_queries.is_state(DeliveryState.QUEUED)
    return {
        "waiting": _count(connection, deliveries, is_queued, deliveries.c.attempt == 0),
        "retrying": _count(connection, deliveries, is_queued, deliveries.c.attempt > 0),
        "running": _count(connection, deliveries, delivery_queries.is_state(DeliveryState.RUNNING)),
    }


def _overdue_seconds(connection: Connection) -> float:
    query = select(deliveries.c.due_at, database_now()).where(delivery_queries.is_due())
    row = connection.execute(query.order_by(deliveries.c.due_at).limit(1)).one_or_none()
    return 0.0 if row is None else max(0.0, (row[1] - row[0]).total_seconds())


def _count(connection: Connection, table: Table, *conditions: ColumnElement[Any]) -> int:
    found = select(literal(1)).select_from(table).where(*conditions).limit(MAX_COUNTED).subquery()
    return connection.execute(select(func.count()).select_from(found)).scalar_one()
