"""Whether the broker is still the one that was published to: it holds a random mark, and the database the same one.

A broker that was flushed, replaced, or came back without its data has lost the mark. Then nothing that was published
before lies in it, and the database forgets all publishing at once instead of finding out job by job.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from shared.jobs.queries import is_state
from shared.jobs.record import State
from shared.tables import broker_epochs, jobs

UNKNOWN = ""
"""What the one row holds before the first broker was seen."""


def known(connection: Connection) -> str:
    """Return the mark that the database knows. Reading is enough."""
    return str(connection.execute(select(broker_epochs.c.epoch)).scalar_one())


def note(connection: Connection, epoch: str, *, instead_of: str) -> int:
    """Note that the broker has another mark now; return how many jobs count as unpublished from now on.

    The first mark of all says nothing about what was lost, so nothing is forgotten. Of several sweepers one notes it.
    """
    query = update(broker_epochs).where(broker_epochs.c.epoch == instead_of).values(epoch=epoch)
    if connection.execute(query).rowcount != 1 or instead_of == UNKNOWN:
        return 0
    published = (is_state(State.QUEUED), jobs.c.published_at.is_not(None))
    return connection.execute(update(jobs).where(*published).values(published_at=None, promoted_at=None)).rowcount
