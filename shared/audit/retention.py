"""Deletes audit events that have reached their age, with their seals, so that the rest of the chain stays whole.

Only sealed events are deleted, whole seals from the beginning of the chain; where it begins then is written down in the
same transaction. On PostgreSQL a month that is over goes as a whole.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from sqlalchemy import Connection, delete, exc, func, select, text, update

from shared import errors
from shared.audit import chain, partitions, purge_guard
from shared.audit.chain import Head
from shared.database import AnyRow, Database, database_now
from shared.tables import audit_chain as chain_table
from shared.tables import audit_events, audit_seals

log = structlog.get_logger(__name__)


def forget_old(database: Database, *, age_seconds: float, seals: int = 5) -> int:
    """Delete events older than this: on PostgreSQL the first month, if it is over; then so many seals.

    Any number may do it at once. Returns how many seals were deleted; 0: nothing is old enough, or
    somebody else does it.
    """
    dropped = 0 if database.is_sqlite else _drop_month(database, age_seconds)
    with database.read() as connection:
        end = chain.head(connection)
        if _last_old(connection, end, age_seconds, seals) is None:
            return dropped
    with database.write() as connection:
        with purge_guard.opened(connection):  # from here on no one else does it
            end = chain.head(connection)
            last = _last_old(connection, end, age_seconds, seals)
            if last is not None:
                _forget_until(connection, last)
        return dropped + (0 if last is None else last.number - end.purged_number)


def _last_old(connection: Connection, end: Head, age_seconds: float, seals: int) -> AnyRow | None:
    """Return the last of the first seals whose events are all old."""
    c = audit_seals.c
    is_old = (c.until_at < database_now(-age_seconds)).label("is_old")
    query = select(c.number, c.hash, c.last_id, is_old).where(c.number > end.purged_number).order_by(c.number)
    last = None
    for seal in connection.execute(query.limit(seals)):
        if not seal.is_old:
            break
        last = seal
    return last


def _forget_until(connection: Connection, seal: AnyRow) -> None:
    connection.execute(delete(audit_events).where(audit_events.c.id <= seal.last_id))
    connection.execute(delete(audit_seals).where(audit_seals.c.number <= seal.number))
    values = {"purged_number": seal.number, "purged_hash": seal.hash, "purged_id": seal.last_id}
    connection.execute(update(chain_table).values(values))


def _drop_month(database: Database, age_seconds: float) -> int:
    """Drop the partition of the first month, if all of it is old and sealed; return how many seals went with it."""
    with database.read() as connection:
        if _month_to_drop(connection, age_seconds) is None:
            return 0
    try:
        with database.write() as connection:
            if not partitions.have_for_myself(connection):
                return 0
            with purge_guard.opened(connection):
                end = chain.head(connection)
                found = _month_to_drop(connection, age_seconds)
                if found is None:
                    return 0
                month, last = found
                for table in ("audit_events_past", partitions.name_of(month)):
                    connection.execute(text(f"DROP TABLE {table}"))
                connection.execute(text(partitions.past_until(partitions.after(month))))
                if last is not None:
                    _forget_until(connection, last)
            return 0 if last is None else last.number - end.purged_number
    except errors.DatabaseUnavailable as error:
        return int(partitions.given_up(error))
    except exc.ProgrammingError as error:  # a role that may not drop tables; whole seals are deleted all the same
        log.warning(
            "An old month of the audit trail cannot be dropped. Let the database user own its tables.",
            event_name="audit.no_drop",
            error=str(error.orig),
        )
        return 0


def _month_to_drop(connection: Connection, age_seconds: float) -> tuple[datetime, AnyRow | None] | None:
    """Return the first month and the seal over its last event (None: no event is left), where all of it is old."""
    months = partitions.months(connection)
    if not months:
        return None
    month = months[0]
    old = connection.execute(select(database_now(-age_seconds))).scalar_one()
    if partitions.after(month) > old:
        return None
    top = connection.execute(
        select(func.max(audit_events.c.id)).where(audit_events.c.occurred_at < partitions.after(month))
    ).scalar()
    if top is None:
        return month, None
    c = audit_seals.c
    query = select(c.number, c.hash, c.last_id).where(c.last_id >= top).order_by(c.number).limit(1)
    seal = connection.execute(query).one_or_none()
    if seal is None:  # not sealed yet
        return None
    youngest = connection.execute(select(func.max(c.until_at)).where(c.number <= seal.number)).scalar_one()
    return (month, seal) if youngest < old else None
