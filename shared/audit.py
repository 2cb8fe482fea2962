"""The audit trail: one immutable row for each thing that happened. Rows are added, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from shared.database import database_now
from shared.tables import audit_events

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


@dataclass(frozen=True)
class AuditEvent:
    """One row of ``audit_events``."""

    id: int
    """Grows with time; the cursor of a listing."""
    occurred_at: datetime
    """By the database's clock, UTC."""
    event: str
    """What happened, e.g. ``job.succeeded``."""
    actor: str
    """Who did it: ``client``, ``operator``, ``sweeper``, ``NODE/TASK`` of a worker, or the job that was copied."""
    job_id: str | None
    """The job it concerns."""
    attempt: int | None
    """Number of the try; 0 before the first claim."""
    client_ip: str | None
    """Who submitted the job."""
    sha256: str | None
    """Of the uploaded bytes."""
    confidence: float | None
    """0 to 1, of the whole document; only for ``job.succeeded``."""
    min_confidence: float | None
    """0 to 1, of the weakest line; only for ``job.succeeded``."""
    model: str | None
    """Name of the recognition model; only for ``job.succeeded``."""
    model_version: str | None
    """Its version."""
    model_sha256: str | None
    """SHA-256 of its file."""
    outcome: str | None
    """State of the job afterwards."""
    code: str | None
    """Code of the error, where there was one."""
    subject: str | None
    """Id of the delivery or the endpoint that the event is about."""


def record(
    connection: Connection,
    *,
    event: str,
    actor: str,
    job_id: str | None = None,
    attempt: int | None = None,
    client_ip: str | None = None,
    sha256: str | None = None,
    confidence: float | None = None,
    min_confidence: float | None = None,
    model: dict[str, Any] | None = None,
    outcome: str | None = None,
    code: str | None = None,
    subject: str | None = None,
) -> None:
    """Add one event, in the transaction of whatever it tells about."""
    model = model or {}
    connection.execute(
        insert(audit_events).values(
            occurred_at=database_now(),
            event=event,
            actor=actor,
            job_id=job_id,
            attempt=attempt,
            client_ip=client_ip,
            sha256=sha256,
            confidence=confidence,
            min_confidence=min_confidence,
            model=model.get("name"),
            model_version=model.get("version"),
            model_sha256=model.get("sha256"),
            outcome=outcome,
            code=code,
            subject=subject,
        )
    )


def list_events(
    connection: Connection, *, job_id: str | None = None, limit: int = 50, before: int | None = None
) -> list[AuditEvent]:
    """Return events, newest first.

    Args:
        connection: Reading is enough.
        job_id: Only those of this job.
        limit: At most so many.
        before: Only those older than the event with this id: the last id of the previous page.
    """
    query = select(audit_events).order_by(audit_events.c.id.desc()).limit(limit)
    if job_id is not None:
        query = query.where(audit_events.c.job_id == job_id)
    if before is not None:
        query = query.where(audit_events.c.id < before)
    return [AuditEvent(**row) for row in connection.execute(query).mappings()]


def has_event(connection: Connection, job_id: str, event: str) -> bool:
    """Return whether this ever happened to the job."""
    query = select(audit_events.c.id).where(audit_events.c.job_id == job_id, audit_events.c.event == event).limit(1)
    return connection.execute(query).first() is not None


def first_at(connection: Connection) -> datetime | None:
    """Return when the oldest event that is kept happened: this database is at least so old."""
    query = select(audit_events.c.occurred_at).order_by(audit_events.c.id).limit(1)
    return connection.execute(query).scalar_one_or_none()


def forget_old(connection: Connection, *, age_seconds: float, limit: int) -> int:
    """Delete events older than this, a portion at a time; return how many. The operator's choice, off by default."""
    old = select(audit_events.c.id).where(audit_events.c.occurred_at < database_now(-age_seconds))
    portion = old.order_by(audit_events.c.occurred_at).limit(limit)
    return connection.execute(delete(audit_events).where(audit_events.c.id.in_(portion))).rowcount
