"""What clients ask of the audit trail: a page, everything that fits, numbers, and whether it is whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from api.service.parts import Parts
from api.service.trail import stats
from shared import errors
from shared.audit import chain, queries, verify
from shared.audit.queries import AuditEvent, Page, Place, Wanted
from shared.audit.verify import Report
from shared.database import database_now

STATS_SPAN = timedelta(days=7)
MOST_STATS_SPAN = timedelta(days=366)


@dataclass(frozen=True)
class Numbers:
    """The trail in numbers, and the ends of its chain."""

    of_events: dict[str, Any]
    chain: chain.Head
    unsealed_count: int
    oldest_unsealed_at: datetime | None


def page(parts: Parts, wanted: Wanted, *, limit: int, cursor: str | None) -> Page:
    """A page of events, newest first; raises InvalidCursor."""
    before = None if cursor is None else _place_of(cursor)
    with parts.database.read() as connection:
        return queries.page(connection, wanted, limit=limit, before=before)


def export(parts: Parts, wanted: Wanted) -> tuple[datetime, Iterator[list[AuditEvent]]]:
    """The time, and every event that fits, read portion by portion; what fails at once fails here."""
    portions = queries.portions(parts.database, wanted)
    first = next(portions, [])
    with parts.database.read() as connection:
        now: datetime = connection.execute(select(database_now())).scalar_one()
    return now, itertools.chain([first], portions)


def numbers(parts: Parts, since: datetime | None, until: datetime | None) -> Numbers:
    """The trail in numbers over a span of time, the last week by default; raises InvalidOption."""
    with parts.database.read() as connection:
        until = until or connection.execute(select(database_now())).scalar_one()
        try:
            since = since or until - STATS_SPAN
        except OverflowError:
            raise errors.InvalidOption("There is no week before `until`. Send `from`, too.", option="until") from None
        check_span(since, until)
        if until - since > MOST_STATS_SPAN:
            raise errors.InvalidOption("from and until are more than 366 days apart. Ask for less.", option="from")
        found = stats.stats(connection, since, until)
        return Numbers(found, chain.head(connection), *chain.unsealed(connection))


def check(parts: Parts, *, first: int, most_events: int, anchor: str | None) -> Report:
    """What came of checking some seals with their events; raises NotFound where there is no such seal."""
    report = verify.verify(parts.database, first=first, most_events=most_events, anchor=anchor)
    if first > max(report.head.number, 1):
        raise errors.NotFound(
            f"There is no seal {first}: the last has the number {report.head.number}. Begin before it."
        )
    return report


def check_span(since: datetime | None, until: datetime | None) -> None:
    """Raises InvalidOption where a span of time ends before it begins."""
    if since is not None and until is not None and since >= until:
        raise errors.InvalidOption("from must be earlier than until.", option="from")


def _place_of(cursor: str) -> Place:
    """Where a page begins; raises InvalidCursor."""
    try:
        return Place.of_cursor(cursor)
    except ValueError:
        raise errors.InvalidCursor() from None
