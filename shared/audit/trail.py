"""The audit trail: one immutable row for each thing that happened. Rows are added, never changed.

Beside it: ``queries`` reads, ``chain`` seals, ``verify`` checks, ``retention`` forgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Required, TypedDict, Unpack

from sqlalchemy import Connection, insert, select

from shared.audit import addresses
from shared.audit.actor import Actor
from shared.audit.queries import AuditEvent, list_events
from shared.database import database_now
from shared.tables import audit_events

__all__ = ["AuditEvent", "Event", "has_event", "list_events", "record"]


class Event(StrEnum):
    """What can have happened."""

    SUBMITTED = "job.submitted"
    CLAIMED = "job.claimed"
    SUCCEEDED = "job.succeeded"
    FAILED = "job.failed"
    RETRIED = "job.retried"
    RELEASED = "job.released"
    EXPIRED = "job.expired"
    CANCELLED = "job.cancelled"
    REQUEUED = "job.requeued"
    DELETED = "job.deleted"
    READ = "job.read"
    REFUSED = "request.refused"
    CORRECTED = "job.corrected"
    UPLOAD_DELETED = "upload.deleted"
    DELIVERY_SUCCEEDED = "delivery.succeeded"
    DELIVERY_FAILED = "delivery.failed"
    DELIVERY_CANCELLED = "delivery.cancelled"
    REDELIVERED = "delivery.redelivered"
    ENDPOINT_CREATED = "endpoint.created"
    ENDPOINT_CHANGED = "endpoint.changed"
    ENDPOINT_DISABLED = "endpoint.disabled"
    ENDPOINT_DELETED = "endpoint.deleted"
    SECRET_ROTATED = "endpoint.secret_rotated"  # noqa: S105
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    KEY_ROTATED = "key.rotated"
    MODEL_ADDED = "model.added"
    MODEL_REMOVED = "model.removed"
    MODEL_ACTIVATED = "model.activated"
    MODEL_ROLLED_BACK = "model.rolled_back"
    MODEL_HELD = "model.held"
    SIGNED_IN = "session.opened"
    SIGNED_OUT = "session.closed"


_ADD = insert(audit_events).values(occurred_at=database_now())
_AS_GIVEN = (
    "job_id", "attempt", "sha256", "confidence", "min_confidence", "outcome", "code", "subject", "duration_ms",
)  # fmt: skip


class Facts(TypedDict, total=False):
    """What an event tells; key and address in it are the actor's."""

    event: Required[Event]
    actor: Required[Actor]
    job_id: str | None
    attempt: int | None
    sha256: str | None
    confidence: float | None
    min_confidence: float | None
    model: dict[str, Any] | None
    outcome: str | None
    code: str | None
    subject: str | None
    duration_ms: int | None


def record(connection: Connection, **facts: Unpack[Facts]) -> None:
    """Add one event, in the transaction of whatever it tells about."""
    connection.execute(_ADD, _row(facts))


def record_all(connection: Connection, events: Iterable[Facts]) -> None:
    """Add events in their order, in one statement. There is at least one."""
    connection.execute(_ADD, [_row(facts) for facts in events])


def _row(facts: Facts) -> dict[str, Any]:
    actor, model = facts["actor"], facts.get("model") or {}
    return {
        "event": str(facts["event"]),
        "actor": actor.name,
        "client_ip": actor.address,
        "ip_key": addresses.sort_key(actor.address),
        "key_id": actor.key_id,
        "model": model.get("name"),
        "model_version": model.get("version"),
        "model_sha256": model.get("sha256"),
        **{name: facts.get(name) for name in _AS_GIVEN},
    }


def has_event(connection: Connection, job_id: str, event: str, *, key_id: str | None = None) -> bool:
    """Return whether this ever happened to the job; with a key: whether it was this key's doing."""
    query = select(audit_events.c.id).where(audit_events.c.job_id == job_id, audit_events.c.event == event).limit(1)
    if key_id is not None:
        query = query.where(audit_events.c.key_id == key_id)
    return connection.execute(query).first() is not None
