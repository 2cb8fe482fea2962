"""Sums over the audit trail, for /metrics: how often each thing happened, how long stages took, how sure the text is.

The sweeper adds what is new and moves a cursor, in one transaction that only one sweeper wins; no job pays for it. The
sums never fall, whatever is deleted afterwards, and each process of the API on any machine answers the same.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from shared import errors
from shared.audit.trail import Event
from shared.database import AnyRow, Database, database_now
from shared.result import TIMING_STAGES
from shared.tables import audit_events, jobs, tallies, tally_cursor

EVENTS, FAILURES, COPIES, STAGES, CONFIDENCE = "events", "failures", "copies", "stages", "confidence"
STAGE_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
CONFIDENCE_BOUNDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0)
SUM, BEYOND = "sum", "+Inf"

SETTLED_SECONDS = 10.0
"""Events are counted at this age. PostgreSQL gives out ids before the commit: a younger one may still be to come."""
PORTION = 5000
SIGN_OF_LIFE_SECONDS = 15.0
"""The cursor's row is written so often at least: it also says that a sweeper lives."""

Key = tuple[str, str, str]
"""Name of the sum, label, bucket."""


def advance(database: Database, *, settled_seconds: float = SETTLED_SECONDS) -> int:
    """Add the next portion of events; return how many. Looks before it locks: without news nothing is written."""
    with database.read() as connection:
        cursor, is_old = connection.execute(
            select(tally_cursor.c.audit_id, tally_cursor.c.swept_at < database_now(-SIGN_OF_LIFE_SECONDS))
        ).one()
        rows = _settled(connection, cursor, settled_seconds)
    if not rows and not is_old:
        return 0
    with database.write() as connection:
        moved = connection.execute(
            update(tally_cursor)
            .where(tally_cursor.c.audit_id == cursor)
            .values(audit_id=rows[-1].id if rows else cursor, swept_at=database_now())
        )
        if moved.rowcount == 1 and rows:
            _add(connection, sums_of(rows))
    return len(rows)


def read(connection: Connection) -> dict[Key, float]:
    """Return all sums: some hundred rows."""
    return {(row.name, row.label, row.bucket): row.value for row in connection.execute(select(tallies))}


def silence_seconds(connection: Connection) -> float:
    """Return how long no sweeper was heard of."""
    now, swept_at = connection.execute(select(database_now(), tally_cursor.c.swept_at)).one()
    silent: float = (now - swept_at).total_seconds()
    return max(0.0, silent)


def sums_of(rows: Iterable[AnyRow]) -> Counter[Key]:
    """What these events add to the sums."""
    found: Counter[Key] = Counter()
    for row in rows:
        found[EVENTS, row.event, ""] += 1
        if row.event == Event.FAILED and row.code:
            found[FAILURES, row.code if errors.by_code(row.code).code == row.code else "other", ""] += 1
        if row.event == Event.SUCCEEDED and row.attempt == 0:
            found[COPIES, "", ""] += 1
        elif row.event == Event.SUCCEEDED:
            _observe(found, row)
    return found


def _observe(found: Counter[Key], row: AnyRow) -> None:
    if row.confidence is not None and row.model:
        _put(found, CONFIDENCE, row.model, row.confidence, CONFIDENCE_BOUNDS)
    for stage in TIMING_STAGES:
        milliseconds = (row.timings_ms or {}).get(stage)
        if milliseconds is not None:
            _put(found, STAGES, stage, milliseconds / 1000, STAGE_BOUNDS)


def _put(found: Counter[Key], name: str, label: str, value: float, bounds: tuple[float, ...]) -> None:
    at = bisect_left(bounds, value)
    found[name, label, str(bounds[at]) if at < len(bounds) else BEYOND] += 1
    found[name, label, SUM] += value  # type: ignore[assignment]


def _settled(connection: Connection, cursor: int, seconds: float) -> list[AnyRow]:
    """Events after the cursor, in the order of their ids, up to the first that is too young."""
    events = audit_events.c
    query = (
        select(
            events.id,
            events.event,
            events.code,
            events.attempt,
            events.confidence,
            events.model,
            jobs.c.timings_ms,
            (events.occurred_at <= database_now(-seconds)).label("is_settled"),
        )
        .join_from(audit_events, jobs, (jobs.c.id == events.job_id) & (events.event == Event.SUCCEEDED), isouter=True)
        .where(events.id > cursor)
        .order_by(events.id)
        .limit(PORTION)
    )
    rows = list(connection.execute(query))
    young = next((index for index, row in enumerate(rows) if not row.is_settled), len(rows))
    return rows[:young]


def _add(connection: Connection, sums: Counter[Key]) -> None:
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = [
        {"name": name, "label": label, "bucket": bucket, "value": value}
        for (name, label, bucket), value in sums.items()
    ]
    query = insert(tallies).values(values)
    connection.execute(
        query.on_conflict_do_update(
            index_elements=[tallies.c.name, tallies.c.label, tallies.c.bucket],
            set_={"value": tallies.c.value + query.excluded.value},
        )
    )
