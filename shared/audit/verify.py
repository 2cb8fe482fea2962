"""Checks the audit trail against its seals and names the first event, or the first seal, that is not as it was."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from shared.audit import chain
from shared.audit.chain import GENESIS, Head
from shared.database import AnyRow, Database
from shared.tables import audit_events, audit_seals

CHANGED = "event_changed"
DELETED = "event_deleted"
INSERTED = "event_inserted"
SEAL_CHANGED = "seal_changed"
SEAL_MISSING = "seal_missing"
HEAD_CHANGED = "head_changed"
ANCHOR_MISSING = "anchor_missing"
PROBLEMS = {
    CHANGED: "The event is not what was sealed: somebody changed it.",
    DELETED: "The event was sealed and is gone.",
    INSERTED: "The event was not there when the events around it were sealed.",
    SEAL_CHANGED: "The seal is not what was written: somebody changed it. Its events cannot be judged.",
    SEAL_MISSING: "The seal is gone, so nothing vouches for its events.",
    HEAD_CHANGED: "The end of the chain is not the last seal: somebody changed one of them.",
    ANCHOR_MISSING: "The chain does not hold the seal that you kept: it was written anew, or deleted by age.",
}
_SEALS_AT_ONCE = 100
_EVENTS_AT_ONCE = 5000
_FIRST_EVENT = select(audit_events.c.id).order_by(audit_events.c.id).limit(1)


@dataclass(frozen=True)
class Broken:
    """The first thing that is not as it was."""

    problem: str
    """One of PROBLEMS."""
    seal: int
    """Number of the seal that is concerned."""
    event_id: int | None = None
    """The event; None where a seal or the end of the chain is what is broken."""

    @property
    def message(self) -> str:
        """Say it for people."""
        return PROBLEMS[self.problem]


@dataclass(frozen=True)
class Report:
    """What was checked, and what came of it."""

    head: Head
    """The ends of the chain."""
    first_seal: int
    """The first one that was checked."""
    seal_count: int
    """So many seals were checked."""
    event_count: int
    """So many events were checked."""
    broken: Broken | None
    """The first thing that is not as it was; the check ends there."""
    following: int | None
    """The seal to go on with; None: this was the end of the chain, or it is broken."""


def verify(database: Database, *, first: int = 1, most_events: int = 20_000, anchor: str | None = None) -> Report:
    """Check seals and their events from one seal on.

    Args:
        database: Reading is enough.
        first: Number of the seal to begin with.
        most_events: About so many events are checked; the rest is for another call.
        anchor: Hash of a seal that was kept elsewhere: it must be in the chain.
    """
    report = _check(database, first, most_events, anchor)
    while report.broken is not None:  # it may be that a sealer or the retention went by
        again = _check(database, first, most_events, anchor)
        if again.head == report.head:
            return again
        report = again
    return report


def _check(database: Database, first: int, most_events: int, anchor: str | None) -> Report:
    with database.read() as connection:
        head = chain.head(connection)
        first = max(first, head.purged_number + 1)
        seals = _seals(connection, first, most_events)
        before = _before(connection, first, head)
        checking = _Checking(head, first, *(before or ("", 0)))
        if anchor is not None and not _knows(connection, anchor, head):
            return checking.report(Broken(ANCHOR_MISSING, head.number))
        if before is None:
            return checking.report(Broken(SEAL_MISSING, first - 1))
        stray = connection.execute(_FIRST_EVENT.where(audit_events.c.id <= head.purged_id)).scalar()
        if stray is not None:
            return checking.report(Broken(INSERTED, head.purged_number, stray))
        broken = checking.look_at(seals, _events(connection, before[1], seals))
        last, is_end = checking.number, sum(seal.event_count for seal in seals) < most_events
        if broken is None and is_end and last < head.number:
            broken = Broken(SEAL_MISSING, last + 1)
        fits = last < head.number or (last, checking.hash, checking.last_id) == (head.number, head.hash, head.last_id)
        if broken is None and not fits:
            broken = Broken(HEAD_CHANGED, last)
        return checking.report(broken)


class _Checking:
    """Goes through seals and events side by side."""

    def __init__(self, head: Head, first: int, before_hash: str, before_id: int) -> None:
        self._head = head
        self._first = first
        self.number, self.hash, self.last_id = first - 1, before_hash, before_id
        self._event_count = 0

    def report(self, broken: Broken | None) -> Report:
        """Say how far it came."""
        goes_on = broken is None and self.number < self._head.number
        return Report(
            head=self._head,
            first_seal=self._first,
            seal_count=self.number - self._first + 1,
            event_count=self._event_count,
            broken=broken,
            following=self.number + 1 if goes_on else None,
        )

    def look_at(self, seals: list[AnyRow], events: Iterator[Mapping[str, Any]]) -> Broken | None:
        """Check seals that follow each other, and the events up to the last of them."""
        event = next(events, None)
        for seal in seals:
            broken = self._look_at_seal(seal)
            if broken is not None:
                return broken
            for event_id, digest in chain.unpacked(seal.digests):
                if event is None or event["id"] > event_id:
                    return Broken(DELETED, seal.number, event_id)
                if event["id"] < event_id:
                    return Broken(INSERTED, seal.number, event["id"])
                if chain.digest(event) != digest:
                    return Broken(CHANGED, seal.number, event_id)
                self._event_count += 1
                event = next(events, None)
            self.number, self.hash, self.last_id = seal.number, seal.hash, seal.last_id
        return None if event is None else Broken(INSERTED, self.number, event["id"])

    def _look_at_seal(self, seal: AnyRow) -> Broken | None:
        if seal.number != self.number + 1:
            return Broken(SEAL_MISSING, self.number + 1)
        try:
            ids = [event_id for event_id, _ in chain.unpacked(seal.digests)]
        except struct.error:
            ids = []
        says = chain.seal_hash(seal.number, self.hash, seal.sealed_at, seal.until_at, seal.digests)
        is_whole = (seal.hash, seal.previous_hash) == (says, self.hash)
        fits = ids and (seal.first_id, seal.last_id, seal.event_count) == (ids[0], ids[-1], len(ids))
        return None if is_whole and fits else Broken(SEAL_CHANGED, seal.number)


def _seals(connection: Connection, first: int, most_events: int) -> list[AnyRow]:
    """Return seals from a number on, with about so many events."""
    query = select(audit_seals).order_by(audit_seals.c.number).limit(_SEALS_AT_ONCE)
    found: list[AnyRow] = []
    events = 0
    while events < most_events:
        portion = connection.execute(query.where(audit_seals.c.number >= first)).all()
        for seal in portion:
            found.append(seal)
            events += seal.event_count
            if events >= most_events:
                break
        if len(portion) < _SEALS_AT_ONCE:
            break
        first = portion[-1].number + 1
    return found


def _before(connection: Connection, first: int, head: Head) -> tuple[str, int] | None:
    """Return hash and last event of the seal before the first one: from that seal, or from where the retention left."""
    if first == head.purged_number + 1:
        return head.purged_hash, head.purged_id
    query = select(audit_seals.c.hash, audit_seals.c.last_id).where(audit_seals.c.number == first - 1)
    found = connection.execute(query).one_or_none()
    return None if found is None else (found.hash, found.last_id)


def _events(connection: Connection, after_id: int, seals: list[AnyRow]) -> Iterator[Mapping[str, Any]]:
    """Yield all events up to the last one of the seals, in the order of their ids."""
    c = audit_events.c
    last_id = seals[-1].last_id if seals else after_id
    query = select(audit_events).where(c.id <= last_id).order_by(c.id).limit(_EVENTS_AT_ONCE)
    while after_id < last_id:
        portion = connection.execute(query.where(c.id > after_id)).mappings().all()
        yield from map(dict, portion)
        after_id = portion[-1]["id"] if len(portion) == _EVENTS_AT_ONCE else last_id


def _knows(connection: Connection, anchor: str, head: Head) -> bool:
    query = select(audit_seals.c.number).where(audit_seals.c.hash == anchor).limit(1)
    return anchor in (GENESIS, head.purged_hash) or connection.execute(query).first() is not None
