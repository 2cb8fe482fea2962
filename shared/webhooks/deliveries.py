"""The life of a delivery. The only module that writes a delivery's state, each final one with its audit event.

As with jobs, every write is a compare-and-set; zero rows changed is a named outcome, never an error. A delivery that
was planned is attempted until it succeeds, its schedule is over, its receiver is gone, or its endpoint is deleted.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, or_, select, tuple_, update

from shared import ids
from shared.audit import trail
from shared.audit.actor import SWEEPER, Actor
from shared.clock import timestamp
from shared.database import database_now
from shared.tables import deliveries, delivery_attempts, webhook_endpoints
from shared.telemetry import trace
from shared.webhooks import endpoints, targets
from shared.webhooks.queries import (
    due,
    get,
    has_expired,
    is_due,
    is_expired,
    is_state,
    list_attempts,
    list_deliveries,
    to_delivery,
)
from shared.webhooks.record import (
    JITTER,
    JOB_URLS,
    MAX_RETRY_AFTER_SECONDS,
    PING,
    SCHEDULE_SECONDS,
    Delivery,
    DeliveryState,
    Endpoint,
    Outcome,
)

__all__ = [
    "cancel",
    "claim",
    "due",
    "expire",
    "finish",
    "get",
    "has_expired",
    "list_attempts",
    "list_deliveries",
    "plan",
    "plan_ping",
    "purge",
    "redeliver",
    "release",
]

PURGE_LIMIT = 1000
_EXPIRE_LIMIT = 500
_NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_token": None}


def plan(
    connection: Connection,
    event_type: str,
    payload: dict[str, Any],
    *,
    own_url: str | None,
    job_id: str,
    key_id: str | None,
    request_id: str | None,
) -> list[str]:
    """Plan the deliveries of a job's end, in the transaction of that end; return their ids.

    Args:
        connection: Of that transaction.
        event_type: What happened. Every endpoint that wants it gets one delivery.
        payload: What they are told.
        own_url: The URL that the job brought along; it gets one, too.
        job_id: The job.
        key_id: The API key that submitted it, which may see the delivery to its own URL; the others are the operator's.
        request_id: The request that submitted it.
    """
    wanting = [(endpoint.id, str(endpoint.url)) for endpoint in endpoints.wanting(connection, event_type)]
    if own_url is not None:
        wanting.append((JOB_URLS, own_url))
    if not wanting:
        return []
    of_job = {"job_id": job_id, "request_id": request_id}
    rows = [
        {
            **_planned(endpoint_id, url, event_type, payload),
            **of_job,
            "key_id": key_id if endpoint_id == JOB_URLS else None,
        }
        for endpoint_id, url in wanting
    ]
    connection.execute(insert(deliveries).values(rows))
    return [row["id"] for row in rows]


def plan_ping(connection: Connection, endpoint: Endpoint) -> Delivery:
    """Plan a test delivery to an enabled endpoint. It is attempted once."""
    now = connection.execute(select(database_now())).scalar_one()
    payload = {"type": PING, "timestamp": timestamp(now), "data": {"endpoint_id": endpoint.id}}
    row = {
        **_planned(endpoint.id, str(endpoint.url), PING, payload),
        "step": len(SCHEDULE_SECONDS) - 1,
        "request_id": trace.current().request_id,
    }
    return to_delivery(connection.execute(insert(deliveries).values(row).returning(*deliveries.c)).one())


def claim(connection: Connection, delivery_ids: Sequence[str], *, lease_seconds: float) -> list[Delivery]:
    """Take deliveries that are due, and record the attempt of each. Commit this before the POST.

    Returns:
        Those that nobody else has taken, with their lease token and the URL that their endpoint has now.
    """
    free = select(deliveries.c.id).where(deliveries.c.id.in_(delivery_ids), is_due())
    taken = list(connection.execute(free.with_for_update(skip_locked=True)).scalars())
    if not taken:
        return []
    of_endpoint = select(webhook_endpoints.c.url).where(webhook_endpoints.c.id == deliveries.c.endpoint_id)
    query = (
        update(deliveries)
        .where(deliveries.c.id.in_(taken), is_due())
        .values(
            state=DeliveryState.RUNNING,
            attempt=deliveries.c.attempt + 1,
            lease_until=database_now(lease_seconds),
            lease_token=secrets.token_hex(16),
        )
        .returning(*deliveries.c, of_endpoint.scalar_subquery().label("current_url"))
    )
    rows = connection.execute(query).all()
    claimed = [to_delivery(row, url=row.current_url or row.url) for row in rows]
    if claimed:
        attempts = [
            {"delivery_id": delivery.id, "number": delivery.attempt, "started_at": database_now()}
            for delivery in claimed
        ]
        connection.execute(insert(delivery_attempts).values(attempts))
    return claimed


def finish(connection: Connection, delivery: Delivery, outcome: Outcome) -> DeliveryState | None:
    """Write down what became of an attempt, and when the next one is due.

    Returns:
        The new state, or None when the claim was lost: the attempt is noted, the delivery is somebody else's.
    """
    _note_attempt(
        connection,
        and_(delivery_attempts.c.delivery_id == delivery.id, delivery_attempts.c.number == delivery.attempt),
        status=outcome.status,
        error=outcome.error,
        detail=outcome.detail,
        address=outcome.address,
        answer=outcome.answer,
        duration_ms=outcome.duration_ms,
    )
    values = _after(delivery, outcome)
    held = and_(is_state(DeliveryState.RUNNING), deliveries.c.lease_token == delivery.lease_token)
    if not _move(connection, and_(deliveries.c.id == delivery.id, held), **values, **_NO_LEASE):
        return None
    state = DeliveryState(values["state"])
    if outcome.gone and delivery.endpoint_id != JOB_URLS:
        endpoints.disable(connection, delivery.endpoint_id, reason="gone", actor=SWEEPER)
    if state is not DeliveryState.QUEUED:
        succeeded = state is DeliveryState.SUCCEEDED
        event = trail.Event.DELIVERY_SUCCEEDED if succeeded else trail.Event.DELIVERY_FAILED
        _record(connection, delivery, event, actor=SWEEPER, outcome=state, code=values["reason"])
    return state


def redeliver(connection: Connection, delivery_id: str, *, actor: Actor) -> Delivery | None:
    """Send a delivery again, at once and by the whole schedule, under its old id. None: an attempt is under way."""
    query = (
        update(deliveries)
        .where(deliveries.c.id == delivery_id, deliveries.c.state != DeliveryState.RUNNING)
        .values(state=DeliveryState.QUEUED, step=0, due_at=database_now(), finished_at=None, reason=None)
    )
    row = connection.execute(query.returning(*deliveries.c)).one_or_none()
    if row is None:
        return None
    delivery = to_delivery(row)
    _record(connection, delivery, trail.Event.REDELIVERED, actor=actor, outcome=delivery.state)
    return delivery


def cancel(connection: Connection, endpoint_id: str, *, actor: Actor) -> list[str]:
    """End what is left to do for an endpoint that is deleted, in the same transaction; return the ids."""
    left = or_(is_state(DeliveryState.QUEUED), is_state(DeliveryState.RUNNING))
    query = (
        update(deliveries)
        .where(deliveries.c.endpoint_id == endpoint_id, left)
        .values(state=DeliveryState.CANCELLED, finished_at=database_now(), reason="endpoint_deleted", **_NO_LEASE)
    )
    cancelled = [to_delivery(row) for row in connection.execute(query.returning(*deliveries.c))]
    for delivery in cancelled:
        _record(
            connection,
            delivery,
            trail.Event.DELIVERY_CANCELLED,
            actor=actor,
            outcome=delivery.state,
            code=delivery.reason,
        )
    return [delivery.id for delivery in cancelled]


def expire(connection: Connection) -> list[str]:
    """Take back the deliveries of sweepers that died; they are due at once, at the same step. Return the ids."""
    query = select(deliveries.c.id, deliveries.c.lease_token).where(is_expired()).limit(_EXPIRE_LIMIT)
    found = connection.execute(query.with_for_update(skip_locked=True)).all()
    return _give_back(connection, [(row.id, row.lease_token) for row in found])


def release(connection: Connection, claimed: Collection[Delivery]) -> list[str]:
    """Give back deliveries whose attempt is broken off because their sweeper stops. Return the ids."""
    return _give_back(connection, [(delivery.id, str(delivery.lease_token)) for delivery in claimed])


def purge(connection: Connection, *, older_than_seconds: float) -> int:
    """Remove deliveries that ended so long ago, with their attempts; return how many. At most PURGE_LIMIT at once."""
    old = select(deliveries.c.id).where(deliveries.c.finished_at < database_now(-older_than_seconds))
    ids_of_old = list(connection.execute(old.limit(PURGE_LIMIT)).scalars())
    if ids_of_old:
        still = and_(deliveries.c.id.in_(ids_of_old), deliveries.c.finished_at.is_not(None))
        connection.execute(delete(deliveries).where(still))
    return len(ids_of_old)


def _planned(endpoint_id: str, url: str, event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": ids.new("dlv"),
        "endpoint_id": endpoint_id,
        "lane": targets.parse(url).lane if endpoint_id == JOB_URLS else endpoint_id,
        "url": url,
        "event_type": event_type,
        "payload": payload,
        "state": DeliveryState.QUEUED,
        "attempt": 0,
        "step": 0,
        "created_at": database_now(),
        "due_at": database_now(),
    }


def _after(delivery: Delivery, outcome: Outcome) -> dict[str, Any]:
    if outcome.succeeded:
        return {"state": DeliveryState.SUCCEEDED, "finished_at": database_now(), "reason": None}
    step = delivery.step + 1
    if outcome.gone or step >= len(SCHEDULE_SECONDS):
        reason = "gone" if outcome.gone else "schedule_over"
        return {"state": DeliveryState.FAILED, "finished_at": database_now(), "reason": reason}
    pause_seconds = SCHEDULE_SECONDS[step] * (1 + random.uniform(0, JITTER))
    asked_seconds = min(outcome.retry_after_seconds or 0, MAX_RETRY_AFTER_SECONDS)
    return {
        "state": DeliveryState.QUEUED,
        "step": step,
        "due_at": database_now(max(pause_seconds, asked_seconds)),
        "reason": None,
    }


def _give_back(connection: Connection, held: Sequence[tuple[str, str]]) -> list[str]:
    if not held:
        return []
    mine = and_(is_state(DeliveryState.RUNNING), tuple_(deliveries.c.id, deliveries.c.lease_token).in_(held))
    query = update(deliveries).where(mine)
    query = query.values(state=DeliveryState.QUEUED, due_at=database_now(), **_NO_LEASE)
    moved = list(connection.execute(query.returning(deliveries.c.id)).scalars())
    _note_attempt(connection, delivery_attempts.c.delivery_id.in_(moved), error="interrupted")
    return moved


def _note_attempt(connection: Connection, which: ColumnElement[bool], **values: Any) -> None:
    query = update(delivery_attempts).where(which, delivery_attempts.c.finished_at.is_(None))
    connection.execute(query.values(finished_at=database_now(), **values))


def _move(connection: Connection, condition: ColumnElement[bool], **values: Any) -> bool:
    return connection.execute(update(deliveries).where(condition).values(**values)).rowcount == 1


def _record(
    connection: Connection,
    delivery: Delivery,
    event: trail.Event,
    *,
    actor: Actor,
    outcome: DeliveryState,
    code: str | None = None,
) -> None:
    trail.record(
        connection,
        event=event,
        actor=actor,
        job_id=delivery.job_id,
        attempt=delivery.attempt,
        outcome=outcome,
        code=code,
        subject=delivery.id,
    )
