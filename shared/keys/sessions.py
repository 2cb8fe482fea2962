"""Sign-ins on the pages: a key is exchanged for a random text in a cookie, of which only SHA-256 is stored.

A session ends when it is closed, stands idle, grows old, or when the text of its key is good no longer.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import database_now
from shared.tables import sessions

NOTE_SECONDS = 60
"""The last use of a session is written at most so often."""


@dataclass(frozen=True)
class Lifetime:
    """How long a session may stand idle, and how long it may last, in seconds."""

    idle_seconds: float
    whole_seconds: float


@dataclass(frozen=True)
class Session:
    """Who is signed in: the id of the key, and SHA-256 of the text that was shown for it."""

    key_id: str
    key_sha256: str


def new_text() -> str:
    """Return a new text for a cookie; it has 256 bits."""
    return secrets.token_urlsafe(32)


def digest(text: str) -> str:
    """Return what is stored of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def open_session(connection: Connection, *, key_id: str, key_sha256: str, life: Lifetime, actor: Actor) -> str:
    """Sign somebody in; return the text for the cookie, which is stored nowhere. Ended ones are forgotten."""
    connection.execute(delete(sessions).where(~_is_good(life)))
    text, now = new_text(), database_now()
    values = {
        "sha256": digest(text),
        "key_id": key_id,
        "key_sha256": key_sha256,
        "created_at": now,
        "last_used_at": now,
    }
    connection.execute(insert(sessions).values(values))
    trail.record(connection, event=trail.Event.SIGNED_IN, actor=actor, subject=key_id)
    return text


def find(connection: Connection, text: str, life: Lifetime) -> Session | None:
    """Return who is signed in with this text, or None. Reading is enough."""
    query = select(sessions.c.key_id, sessions.c.key_sha256).where(sessions.c.sha256 == digest(text), _is_good(life))
    row = connection.execute(query).one_or_none()
    return None if row is None else Session(row.key_id, row.key_sha256)


def is_due(connection: Connection, text: str) -> bool:
    """Return whether the last use was written down long enough ago to be written again. Reading is enough."""
    long_ago = sessions.c.last_used_at < database_now(-NOTE_SECONDS)
    return (
        connection.execute(select(sessions.c.key_id).where(sessions.c.sha256 == digest(text), long_ago)).first()
        is not None
    )


def note_use(connection: Connection, text: str) -> None:
    """Write down that a session was used just now."""
    connection.execute(update(sessions).where(sessions.c.sha256 == digest(text)).values(last_used_at=database_now()))


def close_session(connection: Connection, text: str, *, actor: Actor) -> bool:
    """Sign somebody out; return whether anybody was signed in."""
    query = delete(sessions).where(sessions.c.sha256 == digest(text)).returning(sessions.c.key_id)
    key_id = connection.execute(query).scalar_one_or_none()
    if key_id is not None:
        trail.record(connection, event=trail.Event.SIGNED_OUT, actor=actor, subject=key_id)
    return key_id is not None


def _is_good(life: Lifetime) -> ColumnElement[bool]:
    return and_(
        sessions.c.last_used_at >= database_now(-life.idle_seconds),
        sessions.c.created_at >= database_now(-life.whole_seconds),
    )
