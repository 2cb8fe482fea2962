"""Keys that make a submission happen once: the client may send it again, and gets what it got the first time.

The key is stored in the transaction that accepts the job, so there is never a key without its job or a job that a
key has forgotten.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from shared.database import database_now
from shared.tables import idempotency_keys as keys


@dataclass(frozen=True)
class Key:
    """What a client sent along with a submission."""

    scope: str
    """Whose key it is: the same text of two clients is two keys."""
    text: str
    """What the client chose."""
    fingerprint: str
    """SHA-256 of everything that was submitted; another one under the same key is a mistake of the client."""


@dataclass(frozen=True)
class Use:
    """The first use of a key."""

    fingerprint: str
    """Of what was submitted then."""
    subject: str
    """Id of the job or batch that came of it."""


def find(connection: Connection, key: Key, *, age_seconds: float) -> Use | None:
    """Return the first use of the key, unless it is older than this."""
    query = select(keys.c.fingerprint, keys.c.subject).where(
        keys.c.scope == key.scope, keys.c.key == key.text, keys.c.created_at >= database_now(-age_seconds)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else Use(row.fingerprint, row.subject)


def remember(connection: Connection, key: Key, subject: str, *, age_seconds: float) -> bool:
    """Store the first use of a key. False: another request was faster, and this transaction must be rolled back.

    PostgreSQL waits here for a transaction that stores the same key; SQLite has one writer at a time.
    """
    values = {"fingerprint": key.fingerprint, "subject": subject, "created_at": database_now()}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    query = (
        insert(keys)
        .values(scope=key.scope, key=key.text, **values)
        .on_conflict_do_update(
            index_elements=[keys.c.scope, keys.c.key],
            set_=values,
            where=keys.c.created_at < database_now(-age_seconds),
        )
    )
    return connection.execute(query.returning(keys.c.key)).first() is not None


def forget_old(connection: Connection, *, age_seconds: float) -> int:
    """Remove keys that have expired; return how many."""
    return connection.execute(delete(keys).where(keys.c.created_at < database_now(-age_seconds))).rowcount
