"""Whether the broker is still the one that was published to: it holds a random mark, and the database the same one.

A broker that was flushed, replaced, or came back without its data has lost the mark. Then nothing that was published
before lies in it, and the database forgets all publishing at once instead of finding out job by job.
"""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from shared.database import database_now
from shared.job_queries import is_state
from shared.job_record import State
from shared.tables import broker_epochs, jobs

_ROW = 1


def is_known(connection: Connection, epoch: str) -> bool:
    """Return whether this is the broker that the database knows. Reading is enough."""
    return _known(connection) == epoch


def note(connection: Connection, epoch: str) -> int:
    """Note that the broker has this mark now; return how many jobs count as unpublished from now on.

    The first mark of all says nothing about what was lost, so nothing is forgotten. Of several sweepers one notes it.
    """
    known = _known(connection)
    values = {"epoch": epoch, "noted_at": database_now()}
    if known is None:
        connection.execute(insert(broker_epochs).values(id=_ROW, **values))
        return 0
    row = broker_epochs.c.id == _ROW
    if (
        connection.execute(update(broker_epochs).where(row, broker_epochs.c.epoch == known).values(values)).rowcount
        != 1
    ):
        return 0
    published = (is_state(State.QUEUED), jobs.c.published_at.is_not(None))
    return connection.execute(update(jobs).where(*published).values(published_at=None, promoted_at=None)).rowcount


def _known(connection: Connection) -> str | None:
    query = select(broker_epochs.c.epoch).where(broker_epochs.c.id == _ROW)
    return connection.execute(query).scalar_one_or_none()
