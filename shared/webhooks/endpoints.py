"""Webhook endpoints and their secrets: made, changed, disabled, deleted, each with its audit event."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, or_, select, update

from shared import ids
from shared.audit import trail
from shared.audit.actor import Actor
from shared.audit.trail import Event
from shared.database import database_now
from shared.tables import webhook_endpoints, webhook_secrets
from shared.webhooks.box import Box
from shared.webhooks.record import JOB_URLS, Endpoint

SECRET_BYTES = 32
MAX_SECRETS = 5
"""So many secrets sign at once at most, or the header would grow with every rotation."""


def create(
    connection: Connection,
    *,
    url: str,
    event_types: Sequence[str] = (),
    description: str | None = None,
    actor: Actor,
    box: Box,
) -> tuple[Endpoint, str]:
    """Make an endpoint; return it and its secret."""
    values = {
        "id": ids.new("ep"),
        "created_at": database_now(),
        "url": url,
        "event_types": list(event_types),
        "description": description,
    }
    row = connection.execute(insert(webhook_endpoints).values(values).returning(*webhook_endpoints.c)).one()
    secret = _add_secret(connection, row.id, box)
    trail.record(connection, event=Event.ENDPOINT_CREATED, actor=actor, subject=row.id)
    return Endpoint(**row._mapping), secret


def get(connection: Connection, endpoint_id: str) -> Endpoint | None:
    """Return the endpoint, or None."""
    return next(iter(_find(connection, webhook_endpoints.c.id == endpoint_id)), None)


def list_endpoints(connection: Connection) -> list[Endpoint]:
    """Return all endpoints, the built-in one first, then the oldest first."""
    found = _find(connection, webhook_endpoints.c.id.is_not(None))
    return sorted(found, key=lambda endpoint: (endpoint.id != JOB_URLS, endpoint.id))


def wanting(connection: Connection, event_type: str) -> list[Endpoint]:
    """Return the enabled endpoints that asked for events of this type."""
    found = _find(connection, webhook_endpoints.c.disabled_at.is_(None), webhook_endpoints.c.url.is_not(None))
    return [endpoint for endpoint in found if endpoint.wants(event_type)]


def is_any_enabled() -> ColumnElement[bool]:
    """Whether there is an enabled endpoint at all, to be asked within another statement."""
    return exists().where(webhook_endpoints.c.disabled_at.is_(None), webhook_endpoints.c.url.is_not(None))


def change(connection: Connection, endpoint_id: str, *, actor: Actor, **values: Any) -> Endpoint | None:
    """Change `url`, `description` or `event_types`; return the changed endpoint, or None when there is none."""
    return _change(connection, endpoint_id, Event.ENDPOINT_CHANGED, actor=actor, **values)


def enable(connection: Connection, endpoint_id: str, *, actor: Actor) -> Endpoint | None:
    """Send to it again; what is queued for it goes on where it stood."""
    return _change(connection, endpoint_id, Event.ENDPOINT_CHANGED, actor=actor, disabled_at=None, disabled_reason=None)


def disable(connection: Connection, endpoint_id: str, *, reason: str, actor: Actor) -> Endpoint | None:
    """Send nothing to it any more; what is queued for it stays queued."""
    return _change(
        connection,
        endpoint_id,
        Event.ENDPOINT_DISABLED,
        actor=actor,
        code=reason,
        disabled_at=database_now(),
        disabled_reason=reason,
    )


def remove(connection: Connection, endpoint_id: str, *, actor: Actor) -> bool:
    """Delete an endpoint with its secrets. Cancel its deliveries in the same transaction. False: there is none."""
    if connection.execute(delete(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id)).rowcount == 0:
        return False
    trail.record(connection, event=Event.ENDPOINT_DELETED, actor=actor, subject=endpoint_id)
    return True


def rotate_secret(connection: Connection, endpoint_id: str, *, overlap_seconds: float, actor: Actor, box: Box) -> str:
    """Give an existing endpoint a new secret; the old ones go on signing beside it for a while."""
    now_used = webhook_secrets.c.endpoint_id == endpoint_id
    connection.execute(
        update(webhook_secrets)
        .where(now_used, webhook_secrets.c.expires_at.is_(None))
        .values(expires_at=database_now(overlap_seconds))
    )
    connection.execute(delete(webhook_secrets).where(now_used, webhook_secrets.c.expires_at <= database_now()))
    kept = select(webhook_secrets.c.id).where(now_used).order_by(webhook_secrets.c.id.desc()).limit(MAX_SECRETS - 1)
    connection.execute(
        delete(webhook_secrets).where(now_used, webhook_secrets.c.id.not_in(list(connection.execute(kept).scalars())))
    )
    secret = _add_secret(connection, endpoint_id, box)
    trail.record(connection, event=Event.SECRET_ROTATED, actor=actor, subject=endpoint_id)
    return secret


def secrets_of(connection: Connection, endpoint_ids: Collection[str], *, box: Box) -> dict[str, list[str]]:
    """Return the secrets that sign for each endpoint, the newest first; raises SecretsLocked."""
    query = (
        select(webhook_secrets.c.endpoint_id, webhook_secrets.c.secret)
        .where(
            webhook_secrets.c.endpoint_id.in_(endpoint_ids),
            or_(webhook_secrets.c.expires_at.is_(None), webhook_secrets.c.expires_at > database_now()),
        )
        .order_by(webhook_secrets.c.id.desc())
    )
    found: dict[str, list[str]] = {endpoint_id: [] for endpoint_id in endpoint_ids}
    for endpoint_id, secret in connection.execute(query):
        found[endpoint_id].append(box.open(secret, endpoint_id))
    return found


def _find(connection: Connection, *conditions: ColumnElement[bool]) -> list[Endpoint]:
    query = select(webhook_endpoints).where(*conditions).order_by(webhook_endpoints.c.id)
    return [Endpoint(**row) for row in connection.execute(query).mappings()]


def _change(
    connection: Connection, endpoint_id: str, event: Event, *, actor: Actor, code: str | None = None, **values: Any
) -> Endpoint | None:
    query = update(webhook_endpoints).where(webhook_endpoints.c.id == endpoint_id).values(**values)
    row = connection.execute(query.returning(*webhook_endpoints.c)).mappings().one_or_none()
    if row is None:
        return None
    trail.record(connection, event=event, actor=actor, subject=endpoint_id, code=code)
    return Endpoint(**row)


def _add_secret(connection: Connection, endpoint_id: str, box: Box) -> str:
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    connection.execute(
        insert(webhook_secrets).values(
            endpoint_id=endpoint_id, secret=box.seal(secret, endpoint_id), created_at=database_now()
        )
    )
    return secret
