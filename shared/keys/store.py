"""API keys: made, rotated, revoked, each with its audit event in the same transaction. A row is never deleted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update

from shared import ids
from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import AnyRow, Database, database_now
from shared.keys import record
from shared.keys.record import ApiKey, Scope
from shared.tables import api_keys

NOTE_SECONDS = 60
"""The last use of a key is written at most so often."""


def create(
    connection: Connection,
    *,
    name: str,
    scopes: Collection[Scope],
    lifetime_seconds: float | None = None,
    actor: Actor,
) -> tuple[ApiKey, str]:
    """Make a key; return it and its text, which is stored nowhere."""
    key_id = ids.new(record.PREFIX)
    text = record.new_text(key_id)
    values = {
        "id": key_id,
        "name": name,
        "scopes": sorted(scopes),
        "sha256": record.digest(text),
        "created_at": database_now(),
        "expires_at": None if lifetime_seconds is None else database_now(lifetime_seconds),
        "revision": 1,
    }
    row = connection.execute(insert(api_keys).values(values).returning(*api_keys.c)).one()
    trail.record(connection, event=trail.Event.KEY_CREATED, actor=actor, subject=key_id)
    return to_key(row), text


def list_keys(connection: Connection) -> list[ApiKey]:
    """Return all keys, the oldest first; those that were revoked or have expired, too."""
    return [to_key(row) for row in connection.execute(select(api_keys).order_by(api_keys.c.id))]


def revoke(connection: Connection, key_id: str, *, actor: Actor) -> ApiKey | None:
    """End a key for good. None: there is none with this id, or it was revoked before."""
    row = _change(connection, key_id, revoked_at=database_now())
    if row is None:
        return None
    trail.record(connection, event=trail.Event.KEY_REVOKED, actor=actor, subject=key_id)
    return to_key(row)


def rotate(connection: Connection, key_id: str, *, grace_seconds: float, actor: Actor) -> tuple[ApiKey, str] | None:
    """Give a key a new text; the old one stays good for so long. None: no such key, or it was revoked."""
    text = record.new_text(key_id)
    row = _change(
        connection,
        key_id,
        old_sha256=api_keys.c.sha256,
        old_until=database_now(grace_seconds),
        sha256=record.digest(text),
    )
    if row is None:
        return None
    trail.record(connection, event=trail.Event.KEY_ROTATED, actor=actor, subject=key_id)
    return to_key(row), text


def generation(connection: Connection) -> tuple[int, str | None]:
    """Return what changes with every change of any key: cheap to ask often."""
    query = select(func.coalesce(func.sum(api_keys.c.revision), 0), func.max(api_keys.c.id))
    total, newest = connection.execute(query).one()
    return int(total), newest


def load(connection: Connection) -> tuple[list[ApiKey], datetime]:
    """Return the keys that were not revoked, and the time of the database."""
    now = connection.execute(select(database_now())).scalar_one()
    query = select(api_keys).where(api_keys.c.revoked_at.is_(None))
    return [to_key(row) for row in connection.execute(query)], now


def any_exists(database: Database) -> bool:
    """Return whether a key was ever made; a revoked one counts, or revoking the last would open the door."""
    with database.read() as connection:
        return generation(connection)[0] > 0


def note_use(connection: Connection, key_id: str) -> None:
    """Write down that a key was used just now, unless another process did so within the last minute."""
    long_ago = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < database_now(-NOTE_SECONDS))
    connection.execute(update(api_keys).where(api_keys.c.id == key_id, long_ago).values(last_used_at=database_now()))


def to_key(row: AnyRow) -> ApiKey:
    """Build the record from a row that holds all columns of ``api_keys``."""
    values = {**row._mapping, "scopes": frozenset(Scope(name) for name in row.scopes)}
    del values["revision"]
    return ApiKey(**values)


def _change(connection: Connection, key_id: str, **values: Any) -> AnyRow | None:
    query = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    query = query.values(**values, revision=api_keys.c.revision + 1)
    return connection.execute(query.returning(*api_keys.c)).one_or_none()
