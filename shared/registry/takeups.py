"""What each worker child did with each generation: took it up, refused it, or neither yet."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select

from shared import workers
from shared.database import database_now
from shared.registry.record import Takeup, TakeupState
from shared.tables import model_takeups as takeups

KEPT_SECONDS = 7 * 86400.0
"""What children did longer ago is forgotten."""


def take_up(connection: Connection, numbers: Iterable[int], child: str) -> None:
    """Note that a child reads with these generations."""
    for number in numbers:
        _write(connection, number, child, TakeupState.TAKEN, None)


def refuse(connection: Connection, number: int, child: str, reason: str) -> None:
    """Note that a child could not take a generation up."""
    _write(connection, number, child, TakeupState.REFUSED, reason[:500])


def by_child(connection: Connection, number: int) -> list[Takeup]:
    """Return how far each child is: those that did something, and those that live and have not yet."""
    query = select(takeups).where(takeups.c.number == number).order_by(takeups.c.child)
    found = {
        row.child: Takeup(row.child, TakeupState(row.state), row.reason, row.at) for row in connection.execute(query)
    }
    for child in workers.live_children(connection):
        found.setdefault(child.id, Takeup(child.id, TakeupState.WAITING))
    return [found[name] for name in sorted(found)]


def forget_old(connection: Connection) -> int:
    """Forget what was done long ago; return how much."""
    query = delete(takeups).where(takeups.c.at < database_now(-KEPT_SECONDS))
    return connection.execute(query).rowcount


def _write(connection: Connection, number: int, child: str, state: TakeupState, reason: str | None) -> None:
    connection.execute(delete(takeups).where(takeups.c.number == number, takeups.c.child == child))
    values = {"number": number, "child": child, "state": str(state), "reason": reason, "at": database_now()}
    connection.execute(insert(takeups).values(values))
