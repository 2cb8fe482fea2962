"""The months of the audit trail on PostgreSQL: one partition each, made ahead of time. SQLite has none of this.

Two partitions more hold what lies beyond the months: ``past`` everything before the first, so that there is no gap
below, and ``default`` everything after the last, so that an insert never fails. Where the months are at hand,
``default`` takes no part in a question, and PostgreSQL goes through the others one after the other, newest first.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Connection, exc, select, text

from shared import errors
from shared.audit import purge_guard
from shared.database import Database, database_now

log = structlog.get_logger(__name__)

MONTHS_AHEAD = 3
LOCK_WAIT = "300ms"
"""A statement that must have a partition for itself gives up after this, and the next round tries again."""
_LOCK = 0x6F63_7266
_NAME = re.compile(r"audit_events_(\d{4})_(\d\d)")
_NAMES = """
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'audit_events'::regclass
"""

_MOVE = """
    WITH moved AS (
        DELETE FROM audit_events_default WHERE occurred_at >= :first AND occurred_at < :following RETURNING *
    )
    INSERT INTO {} SELECT * FROM moved
"""


def month_of(moment: datetime) -> datetime:
    """Return the beginning of a moment's month, in UTC."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def after(month: datetime) -> datetime:
    """Return the beginning of the next month."""
    return (month + timedelta(days=31)).replace(day=1)


def name_of(month: datetime) -> str:
    """Return the name of a month's partition."""
    return f"audit_events_{month:%Y_%m}"


def is_partition(table: str) -> bool:
    """Return whether a table of this name is a part of ``audit_events``."""
    return table in ("audit_events_past", "audit_events_default") or _NAME.fullmatch(table) is not None


def first_partitions(first: datetime, last: datetime) -> list[str]:
    """Return the statements that make the partitions of a new table, from the first month to the last."""
    statements = [past_until(first), "CREATE TABLE audit_events_default PARTITION OF audit_events DEFAULT"]
    while first <= last:
        following = after(first)
        statements.append(
            f"CREATE TABLE {name_of(first)} PARTITION OF audit_events FOR VALUES FROM ('{first}') TO ('{following}')"
        )
        first = following
    return statements


def past_until(month: datetime) -> str:
    """Return the statement that makes the partition of everything before a month."""
    return f"CREATE TABLE audit_events_past PARTITION OF audit_events FOR VALUES FROM (MINVALUE) TO ('{month}')"


def months(connection: Connection) -> list[datetime]:
    """Return the months that have a partition, the oldest first."""
    found = [_NAME.fullmatch(name) for name in connection.execute(text(_NAMES)).scalars()]
    return sorted(datetime(int(match[1]), int(match[2]), 1, tzinfo=UTC) for match in found if match)


def ensure_months(database: Database) -> list[datetime]:
    """Make the partitions of the coming months that are missing; return their months. Any number may do it at once.

    Where that fails the events of a missing month go into ``default``, and are moved when it is made.
    """
    if database.is_sqlite:
        return []
    made = []
    try:
        with database.read() as connection:
            now = connection.execute(select(database_now())).scalar_one()
            present = months(connection)
        month = after(present[-1]) if present else month_of(now)
        while month < month_of(now) + timedelta(days=31 * MONTHS_AHEAD):
            if not _make(database, month):
                break
            made.append(month)
            month = after(month)
    except exc.ProgrammingError as error:
        log.warning(
            "A partition for the audit events of a coming month could not be made; they are kept in the default one. "
            "Give the database user of the sweeper the right to create tables.",
            event_name="audit.no_partition",
            error=str(error.orig),
        )
    return made


def _make(database: Database, month: datetime) -> bool:
    """Make one partition, with the rows of ``default`` that belong to it; False: another time."""
    name, bounds = name_of(month), f"FROM ('{month}') TO ('{after(month)}')"
    try:
        with database.write() as connection:
            if not have_for_myself(connection):
                return False
            connection.execute(text("LOCK TABLE audit_events_default IN ACCESS EXCLUSIVE MODE"))
            connection.execute(text(f"CREATE TABLE {name} (LIKE audit_events INCLUDING DEFAULTS)"))
            with purge_guard.opened(connection):
                connection.execute(text(_MOVE.format(name)), {"first": month, "following": after(month)})
            connection.execute(text(f"ALTER TABLE audit_events ATTACH PARTITION {name} FOR VALUES {bounds}"))
    except errors.DatabaseUnavailable as error:
        return given_up(error)
    log.info("Made room for the audit events of a coming month.", event_name="audit.partition", month=f"{month:%Y-%m}")
    return True


def have_for_myself(connection: Connection) -> bool:
    """Begin to change the partitions: False while another sweeper does. Locks are waited for only shortly."""
    connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": LOCK_WAIT})
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar_one())


def given_up(error: errors.DatabaseUnavailable) -> bool:
    """Return False where a lock was waited for too long: nothing was changed. Raises any other error."""
    if getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == "55P03":
        return False
    raise error
