"""The chain of seals over the audit trail: each seal holds the hashes of some events and the hash of the seal before.

Writing an event touches nothing of it. Sealing comes later, in the sweeper, in the order of the events' ids, up to an
id below which nothing can be added any more. An event row is never changed for it: its hash lies in the seal.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, exc, func, insert, select, text, update

from shared.database import Database, database_now
from shared.tables import audit_chain, audit_events, audit_seals

log = structlog.get_logger(__name__)

GENESIS = "0" * 64
"""What the first seal has for the hash of the one before."""
BATCH = 1000
"""Most events of a seal."""
SPAN = timedelta(days=1)
"""Longest time from the first event of a seal to the others: what is deleted by age is deleted by whole seals."""
MOST = 5
"""So many seals are written in a row at most; the sweeper has other worries, too."""
MANY = 10_000
_ENTRY = struct.Struct(">q32s")
"""Of each event its id and its hash."""
_WRITERS = text(
    "SELECT virtualtransaction FROM pg_locks WHERE relation = 'audit_events'::regclass "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND mode = 'RowExclusiveLock'"
)


@dataclass(frozen=True)
class Head:
    """Where the chain ends, and where it begins since old events were deleted by age."""

    number: int
    """Of the last seal; 0: there is none yet."""
    hash: str
    """Of the last seal. Who keeps it elsewhere can prove later that nothing before it was changed."""
    last_id: int
    """Events up to this id are sealed."""
    purged_number: int
    """Of the last seal that was deleted by age."""
    purged_hash: str
    """Its hash: what the first seal that is left must name as the one before."""
    purged_id: int
    """Events up to this id were deleted by age."""


def head(connection: Connection) -> Head:
    """Return the ends of the chain; those of an empty one where somebody deleted them, which fit no seal."""
    columns = (audit_chain.c[name] for name in Head.__annotations__)
    found = connection.execute(select(*columns).where(audit_chain.c.id == 1)).mappings().one_or_none()
    return Head(0, GENESIS, 0, 0, GENESIS, 0) if found is None else Head(**found)


def born_at(connection: Connection) -> datetime | None:
    """Return when this database was made; its first event may have been deleted by age since."""
    return connection.execute(select(audit_chain.c.born_at).where(audit_chain.c.id == 1)).scalar_one_or_none()


def unsealed(connection: Connection) -> tuple[int, datetime | None]:
    """Return how many events wait to be sealed, and when the oldest of them occurred. No more than MANY are counted."""
    c = audit_events.c
    sealed = select(audit_chain.c.last_id).scalar_subquery()
    waiting = select(c.occurred_at).where(c.id > sealed).order_by(c.id).limit(MANY).subquery()
    count, oldest = connection.execute(select(func.count(), func.min(waiting.c.occurred_at))).one()
    return count, oldest


def digest(event: Mapping[str, Any]) -> bytes:
    """Return the SHA-256 of an event: of its columns as JSON, sorted by name, without those that are NULL.

    So a column that a later version adds changes nothing of what is sealed.
    """
    values = {name: value for name, value in event.items() if value is not None}
    values["occurred_at"] = values["occurred_at"].astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).digest()


def packed(entries: Iterable[tuple[int, bytes]]) -> bytes:
    """Return ids and hashes of events as a seal holds them."""
    return b"".join(_ENTRY.pack(*entry) for entry in entries)


def unpacked(digests: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield ids and hashes of a seal's events. Raises struct.error where somebody cut a piece off."""
    return _ENTRY.iter_unpack(digests)


def seal_hash(number: int, previous_hash: str, sealed_at: datetime, until_at: datetime, digests: bytes) -> str:
    """Return the hash of a seal: of what it says, the hash of the seal before included."""
    times = (moment.astimezone(UTC).isoformat(timespec="microseconds") for moment in (sealed_at, until_at))
    said = json.dumps([number, previous_hash, *times], separators=(",", ":"))
    return hashlib.sha256(said.encode() + b"\n" + digests).hexdigest()


class Sealer:
    """Seals what can be sealed each time it is called. Any number may do so at once; each seal is written by one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._top = 0
        self._writers: set[str] = set()

    def seal(self) -> bool:
        """Write some seals; return whether there may be more to write at once."""
        settled = self._settled()
        return all(seal_next(self._database, settled) for _ in range(MOST))

    def _settled(self) -> int:
        """Return the highest id below which no event can be added any more.

        SQLite has one writer at a time, so ids come in the order of the commits. With PostgreSQL a transaction may have
        taken an id and not be committed yet; but it holds a lock on the table from before that until its end. So: take
        note of the highest id, then of who holds such a lock; when all of those are gone, everything up to that id is
        there.
        """
        with self._database.read() as connection:
            top = connection.execute(select(func.max(audit_events.c.id))).scalar() or 0
            if self._database.is_sqlite:
                return top
            writers = set(connection.execute(_WRITERS).scalars())
        if self._writers & writers:
            self._writers &= writers
            return 0
        settled = self._top if writers else top
        self._top, self._writers = top, writers
        return settled


def seal_next(database: Database, settled: int) -> int:
    """Write one seal over the next events up to an id; return over how many. 0 also where another one was faster."""
    with database.read() as connection:
        end = head(connection)
        events = _events(connection, end.last_id, settled)
        sealed_at = connection.execute(select(database_now())).scalar_one()
    if not events:
        return 0
    begin = events[0]["occurred_at"]
    events = list(itertools.takewhile(lambda event: event["occurred_at"] - begin < SPAN, events))
    number, until_at = end.number + 1, max(event["occurred_at"] for event in events)
    digests = packed((event["id"], digest(event)) for event in events)
    values = {"hash": seal_hash(number, end.hash, sealed_at, until_at, digests), "last_id": events[-1]["id"]}
    seal = {
        **values,
        "number": number,
        "sealed_at": sealed_at,
        "until_at": until_at,
        "first_id": events[0]["id"],
        "event_count": len(events),
        "previous_hash": end.hash,
        "digests": digests,
    }
    mine = update(audit_chain).where(audit_chain.c.number == end.number, audit_chain.c.hash == end.hash)
    try:
        with database.write() as connection:
            if connection.execute(mine.values(number=number, **values)).rowcount == 0:
                return 0
            connection.execute(insert(audit_seals).values(seal))
    except exc.IntegrityError:
        log.exception(
            "Audit events cannot be sealed: the end of the chain does not fit its seals. Run `ocrelay audit verify`.",
            event_name="audit.not_sealed",
        )
        return 0
    log.info("Audit events were sealed.", event_name="audit.sealed", seal=number, seal_hash=values["hash"])
    return len(events)


def _events(connection: Connection, after_id: int, last_id: int) -> list[dict[str, Any]]:
    c = audit_events.c
    query = select(audit_events).where(c.id > after_id, c.id <= last_id).order_by(c.id).limit(BATCH)
    return [dict(row) for row in connection.execute(query).mappings()]
