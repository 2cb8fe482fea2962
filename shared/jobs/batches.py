"""Batches: many documents sent at once, one job each. The row holds what they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, insert, select, update

from shared import ids
from shared.database import database_now
from shared.tables import batches, jobs


@dataclass(frozen=True)
class Batch:
    """One row of ``batches``."""

    id: str
    """``bat_`` + 26 characters that sort by the time of submission."""
    created_at: datetime
    """When it was accepted; the database's clock, UTC."""
    reference: str | None
    """The client's own name for it."""
    client_ip: str | None
    """Who submitted it."""
    document_count: int
    """So many jobs it began with; some may have been deleted since."""
    key_id: str | None
    """The API key that submitted it; None: there were no keys."""


def submit(
    connection: Connection,
    *,
    reference: str | None,
    client_ip: str | None,
    document_count: int,
    key_id: str | None = None,
) -> Batch:
    """Note a batch; its jobs follow in the same transaction."""
    values = {
        "id": ids.new("bat"),
        "created_at": database_now(),
        "reference": reference,
        "client_ip": client_ip,
        "document_count": document_count,
        "key_id": key_id,
    }
    row = connection.execute(insert(batches).values(values).returning(*batches.c)).one()
    return Batch(**row._mapping)


def get(connection: Connection, batch_id: str) -> Batch | None:
    """Return a batch or None."""
    row = connection.execute(select(batches).where(batches.c.id == batch_id)).one_or_none()
    return None if row is None else Batch(**row._mapping)


def grow(connection: Connection, batch_id: str, *, key_id: str | None, count: int, most: int) -> bool:
    """Let so many more documents join a batch of this key. False: there is none, or it would hold too many."""
    is_mine = batches.c.key_id.is_not_distinct_from(key_id)
    has_room = batches.c.document_count + count <= most
    more = {"document_count": batches.c.document_count + count}
    change = update(batches).where(batches.c.id == batch_id, is_mine, has_room).values(more)
    return connection.execute(change).rowcount == 1


def newest(connection: Connection, *, key_id: str | None, limit: int, before: str | None = None) -> list[Batch]:
    """Return batches, the newest first: of one API key or of all, and older than the one with the id `before`."""
    query = select(batches).order_by(batches.c.id.desc()).limit(limit)
    if key_id is not None:
        query = query.where(batches.c.key_id == key_id)
    if before is not None:
        query = query.where(batches.c.id < before)
    return [Batch(**row._mapping) for row in connection.execute(query)]


def forget_empty(connection: Connection, *, age_seconds: float) -> int:
    """Remove batches so old that have no job any more; return how many."""
    old = batches.c.created_at < database_now(-age_seconds)
    empty = ~exists().where(jobs.c.batch_id == batches.c.id)
    return connection.execute(delete(batches).where(old, empty)).rowcount
