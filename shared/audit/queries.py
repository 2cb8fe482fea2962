"""Questions about the audit trail: pages, newest first, and everything that fits, portion by portion. Reading only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Select, exc, func, literal, select, tuple_

from shared import clock
from shared.database import Database
from shared.tables import UtcDateTime, audit_events

PORTION = 1000
"""So many events are read at once where all are wanted."""
SEARCH_MS = 15
"""PostgreSQL searches for a page so long at most."""
WINDOW = 3_000
"""Where that was not enough, so many events below the cursor are looked through, and no more."""
AHEAD = timedelta(days=31)
"""No event lies so far in the future. Said in every question, it keeps PostgreSQL from the partition for what does."""
_CANCELLED = "57014"
_IS_WARM = "audit_pages_planned"


@dataclass(frozen=True)
class AuditEvent:
    """One row of ``audit_events``."""

    id: int
    """Grows with time, by the order of writing."""
    occurred_at: datetime
    """By the database's clock, UTC."""
    event: str
    """What happened, e.g. ``job.succeeded``."""
    actor: str
    """Who did it: ``client``, ``operator``, ``sweeper``, ``NODE/TASK`` of a worker, or the job that was copied."""
    job_id: str | None
    """The job it concerns."""
    attempt: int | None
    """Number of the try; 0 before the first claim."""
    client_ip: str | None
    """Who submitted the job."""
    sha256: str | None
    """Of the uploaded bytes."""
    confidence: float | None
    """0 to 1, of the whole document; only for ``job.succeeded``."""
    min_confidence: float | None
    """0 to 1, of the weakest line; only for ``job.succeeded``."""
    model: str | None
    """Name of the recognition model; only for ``job.succeeded``."""
    model_version: str | None
    """Its version."""
    model_sha256: str | None
    """SHA-256 of its file."""
    outcome: str | None
    """State of the job, or of the delivery, afterwards."""
    code: str | None
    """Code of the error, where there was one."""
    subject: str | None
    """Id of the delivery, the endpoint or the key that the event is about."""
    key_id: str | None
    """Id of the API key that was used."""
    duration_ms: int | None
    """From the claim of the last attempt to the end of the job."""
    ip_key: str | None = field(repr=False)
    """The client's address in a form that sorts; not for people."""


@dataclass(frozen=True)
class Wanted:
    """Which events are meant; every filter narrows."""

    since: datetime | None = None
    """Those that occurred then or later."""
    until: datetime | None = None
    """Those that occurred before then."""
    ip_range: tuple[str, str] | None = None
    """Those of clients from the first to the last address, by ``addresses.key_range``."""
    sha256_range: tuple[str, str] | None = None
    """Those of documents from the first to the last SHA-256."""
    confidence_from: float | None = None
    """Those with this confidence or more."""
    confidence_until: float | None = None
    """Those with this confidence or less."""
    equal: dict[str, str] = field(default_factory=dict)
    """Those with exactly these values, by column. The first is the one that fits the fewest events, as far as known."""

    among: dict[str, list[str]] = field(default_factory=dict)
    """Those with one of these values, by column."""

    def conditions(self, events: FromClause = audit_events) -> list[ColumnElement[bool]]:
        """Return the filters for ``audit_events`` or a part of it, but for time."""
        c = events.c
        found = [c[name] == value for name, value in self.equal.items()]
        found += [c[name].in_(values) for name, values in self.among.items()]
        if self.ip_range is not None:
            first, last = self.ip_range
            found += [c.ip_key == first] if first == last else [c.ip_key >= first, c.ip_key <= last]
        if self.sha256_range is not None:
            first, last = self.sha256_range
            found += [c.sha256 == first] if first == last else [c.sha256 >= first, c.sha256 <= last]
        if self.confidence_from is not None:
            found.append(c.confidence >= self.confidence_from)
        if self.confidence_until is not None:
            found.append(c.confidence <= self.confidence_until)
        return found

    def span(self, before: Place | None) -> list[ColumnElement[bool]]:
        """Return the filters for time, cursor included."""
        c = audit_events.c
        found = [c.occurred_at < (self.until or clock.now() + AHEAD)]
        if self.since is not None:
            found.append(c.occurred_at >= self.since)
        if before is not None:  # the first line prunes partitions, which the second does not
            found.append(c.occurred_at <= before.occurred_at)
            place = tuple_(literal(before.occurred_at, UtcDateTime()), literal(before.id, c.id.type))
            found.append(tuple_(c.occurred_at, c.id) < place)
        return found


class Place(NamedTuple):
    """A place in the order of the trail, which is that of time."""

    occurred_at: datetime
    id: int

    def cursor(self) -> str:
        """Return it as text."""
        return f"{(self.occurred_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}-{self.id}"

    @classmethod
    def of_cursor(cls, text: str) -> Place:
        """Return the place that a text stands for. Raises ValueError where it stands for none."""
        microseconds, _, number = text.partition("-")
        if not (text.isascii() and microseconds.isdigit() and number.isdigit() and int(number) < 2**63):
            raise ValueError(text)
        try:
            return cls(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds)), int(number))
        except OverflowError as error:
            raise ValueError(text) from error


class Page(NamedTuple):
    """Some events and where to go on; ``following`` is None at the end."""

    events: list[AuditEvent]
    following: Place | None


def page(connection: Connection, wanted: Wanted, *, limit: int, before: Place | None = None) -> Page:
    """Return the newest events that are wanted, and below ``before``.

    On PostgreSQL the time is bounded: the rare combination of filters that each fit many events and together few or
    none is not searched to the end. The page then holds fewer events than it may, even none, and the place to go on.
    """
    query = page_query(wanted, limit=limit + 1, before=before)
    if connection.dialect.name != "postgresql":
        return _cut(_events(connection, query), limit)
    if not connection.info.get(_IS_WARM):  # a fresh connection plans slowly; the newest event is found in any case
        connection.execute(page_query(Wanted(), limit=1)).all()
        connection.info[_IS_WARM] = True
    connection.execute(select(func.set_config("statement_timeout", str(SEARCH_MS), True)))
    try:
        return _cut(_events(connection, query), limit)
    except exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _CANCELLED:
            raise
        connection.rollback()
        return _search_window(connection, wanted, limit=limit, before=before)


def page_query(wanted: Wanted, *, limit: int, before: Place | None = None) -> Select[Any]:
    """Return the question for the newest events that are wanted."""
    c = audit_events.c
    query = select(audit_events).where(*wanted.span(before), *wanted.conditions())
    return query.order_by(c.occurred_at.desc(), c.id.desc()).limit(limit)


def portions(database: Database, wanted: Wanted, *, before: Place | None = None) -> Iterator[list[AuditEvent]]:
    """Yield all events that are wanted, newest first, some at a time.

    Each portion is a read of its own: between two of them no connection is held, however slow the reader is.
    """
    while True:
        with database.read() as connection:
            found = _events(connection, page_query(wanted, limit=PORTION, before=before))
        if found:
            yield found
        if len(found) < PORTION:
            return
        before = _place(found[-1])


def list_events(connection: Connection, *, job_id: str | None = None, limit: int = 50) -> list[AuditEvent]:
    """Return events of one job or of all, newest first."""
    wanted = Wanted() if job_id is None else Wanted(equal={"job_id": job_id})
    return _events(connection, page_query(wanted, limit=limit))


def _search_window(connection: Connection, wanted: Wanted, *, limit: int, before: Place | None) -> Page:
    """Look through some events below the cursor, those that fit one filter; an end not reached is a place to go on."""
    c = audit_events.c
    one = [c[name] == value for name, value in wanted.equal.items()][:1]
    newest = select(audit_events).where(*wanted.span(before), *one).order_by(c.occurred_at.desc(), c.id.desc())
    window = newest.limit(WINDOW).subquery("newest")
    query = select(window).where(*wanted.conditions(window))
    found = _events(connection, query.order_by(window.c.occurred_at.desc(), window.c.id.desc()).limit(limit + 1))
    if len(found) > limit:
        return _cut(found, limit)
    last = connection.execute(newest.with_only_columns(c.occurred_at, c.id).offset(WINDOW - 1).limit(1)).one_or_none()
    return Page(found, None if last is None else Place(*last))


def _events(connection: Connection, query: Select[Any]) -> list[AuditEvent]:
    return [AuditEvent(**row) for row in connection.execute(query).mappings()]


def _cut(found: list[AuditEvent], limit: int) -> Page:
    return Page(found[:limit], _place(found[limit - 1]) if len(found) > limit else None)


def _place(event: AuditEvent) -> Place:
    return Place(event.occurred_at, event.id)
