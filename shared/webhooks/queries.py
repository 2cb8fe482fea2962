"""Questions about deliveries. Reading only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, literal, select

from shared.database import AnyRow, database_now
from shared.tables import deliveries, delivery_attempts, webhook_endpoints
from shared.webhooks.record import Delivery, DeliveryAttempt, DeliveryState


def get(connection: Connection, delivery_id: str) -> Delivery | None:
    """Return the delivery, or None."""
    row = connection.execute(select(deliveries).where(deliveries.c.id == delivery_id)).one_or_none()
    return None if row is None else to_delivery(row)


def list_deliveries(
    connection: Connection,
    *,
    job_id: str | None = None,
    endpoint_id: str | None = None,
    state: str | None = None,
    event_type: str | None = None,
    key_id: str | None = None,
    limit: int = 50,
    before: str | None = None,
) -> list[Delivery]:
    """Return deliveries, newest first; every filter that is given narrows the list.

    Args:
        connection: Reading is enough.
        job_id: Only those about this job.
        endpoint_id: Only those to this endpoint.
        state: Only those in this state.
        event_type: Only those of this event type.
        key_id: Only those to URLs that jobs of this API key brought along.
        limit: At most so many.
        before: Only those older than the delivery with this id: the last id of the previous page.
    """
    wanted = {
        "job_id": job_id,
        "endpoint_id": endpoint_id,
        "state": state,
        "event_type": event_type,
        "key_id": key_id,
    }
    query = select(deliveries).order_by(deliveries.c.id.desc()).limit(limit)
    query = query.where(*(deliveries.c[name] == value for name, value in wanted.items() if value is not None))
    if before is not None:
        query = query.where(deliveries.c.id < before)
    return [to_delivery(row) for row in connection.execute(query)]


def list_attempts(connection: Connection, delivery_id: str) -> list[DeliveryAttempt]:
    """Return all attempts of a delivery, the first one first."""
    query = select(delivery_attempts).where(delivery_attempts.c.delivery_id == delivery_id)
    rows = connection.execute(query.order_by(delivery_attempts.c.number)).mappings()
    return [DeliveryAttempt(**row) for row in rows]


def to_delivery(row: AnyRow, **changed: Any) -> Delivery:
    """Build the record from a row that holds at least all columns of ``deliveries``."""
    values = {column.name: getattr(row, column.name) for column in deliveries.c} | changed
    values["state"] = DeliveryState(values["state"])
    return Delivery(**values)


def due(connection: Connection, *, limit: int, busy_lanes: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return (id, lane) of queued deliveries whose time has come, the longest due first. Reading only."""
    query = select(deliveries.c.id, deliveries.c.lane).where(is_due()).order_by(deliveries.c.due_at).limit(limit)
    if busy_lanes:
        query = query.where(deliveries.c.lane.not_in(busy_lanes))
    return [(row.id, row.lane) for row in connection.execute(query)]


def has_expired(connection: Connection) -> bool:
    """Return whether the sweeper of any attempt fell silent. Reading only."""
    query = select(deliveries.c.id).where(is_expired()).limit(1)
    return connection.execute(query).first() is not None


def is_state(state: DeliveryState) -> ColumnElement[bool]:
    """Compare with a literal, not a parameter: only so does SQLite use the partial indexes."""
    return deliveries.c.state == literal(str(state), literal_execute=True)


def is_due() -> ColumnElement[bool]:
    """Whether it may be attempted now: its time has come, and its endpoint is there and enabled."""
    to_enabled = exists().where(
        webhook_endpoints.c.id == deliveries.c.endpoint_id, webhook_endpoints.c.disabled_at.is_(None)
    )
    return and_(is_state(DeliveryState.QUEUED), deliveries.c.due_at <= database_now(), to_enabled)


def is_expired() -> ColumnElement[bool]:
    """Whether the sweeper that attempts it fell silent."""
    return and_(is_state(DeliveryState.RUNNING), deliveries.c.lease_until < database_now())
