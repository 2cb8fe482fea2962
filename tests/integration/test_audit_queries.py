"""Every filter of the trail finds what it should, page by page, on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import literal_column, select, update

from api.service.trail import stats
from shared import tables
from shared.audit import addresses, queries, trail
from shared.audit.actor import Actor
from shared.audit.queries import AuditEvent, Place, Wanted
from shared.database import Database, database_now

MODELS = [None, {"name": "crnn", "version": "1", "sha256": "a"}, {"name": "crnn", "version": "2", "sha256": "b"}]
ADDRESSES = ["192.0.2.1", "192.0.2.200", "198.51.100.7", "2001:db8::1", "2001:db8:1::1", "::ffff:192.0.2.9", None]
HOUR = timedelta(hours=1)


@pytest.fixture
def events(database: Database) -> list[AuditEvent]:
    return write_events(database)


def write_events(database: Database) -> list[AuditEvent]:
    """Some dozens of events over four months; several occurred in the same moment. The newest is the first."""
    many = itertools.product(ADDRESSES, MODELS, (trail.Event.SUCCEEDED, trail.Event.FAILED))
    with database.write() as connection:
        for n, (client_ip, model, event) in enumerate(many):
            actor = Actor("worker", "x", key_id=None if n % 4 == 0 else f"key{n % 4}", address=client_ip)
            trail.record(
                connection, event=event, actor=actor, model=model, job_id=f"job_{n % 5}",
                sha256=str(n % 3), outcome=event.partition(".")[2],
                confidence=None if event == trail.Event.FAILED else n / 42, subject=f"s{n % 2}", duration_ms=n,
            )  # fmt: skip
        c = tables.audit_events.c
        now = connection.execute(select(database_now())).scalar_one()
        for (number,) in connection.execute(select(c.id)).all():
            moment = now - timedelta(days=3 * (number // 3))
            connection.execute(update(tables.audit_events).where(c.id == number).values(occurred_at=moment))
        rows = connection.execute(select(tables.audit_events)).mappings().all()
    found = [AuditEvent(**row) for row in rows]
    return sorted(found, key=lambda event: (event.occurred_at, event.id), reverse=True)


def in_block(*blocks: str) -> Callable[[AuditEvent], bool]:
    ranges = [addresses.key_range(block) for block in blocks]
    return lambda event: event.ip_key is not None and any(first <= event.ip_key <= last for first, last in ranges)


FILTERS: dict[str, tuple[dict[str, Any], Callable[[AuditEvent], bool]]] = {
    "none": ({}, lambda _: True),
    "event": ({"equal": {"event": trail.Event.FAILED}}, lambda e: e.event == trail.Event.FAILED),
    "job": ({"equal": {"job_id": "job_3"}}, lambda e: e.job_id == "job_3"),
    "sha256": ({"equal": {"sha256": "2"}}, lambda e: e.sha256 == "2"),
    "key": ({"equal": {"key_id": "key2"}}, lambda e: e.key_id == "key2"),
    "state": ({"equal": {"outcome": "failed"}}, lambda e: e.outcome == "failed"),
    "subject": ({"equal": {"subject": "s1"}}, lambda e: e.subject == "s1"),
    "model": ({"equal": {"model": "crnn"}}, lambda e: e.model == "crnn"),
    "version": ({"equal": {"model_version": "2", "model": "crnn"}}, lambda e: e.model_version == "2"),
    "unknown model": ({"equal": {"model": "other"}}, lambda _: False),
    "address": ({"ip_range": addresses.key_range("192.0.2.1")}, lambda e: e.client_ip == "192.0.2.1"),
    "block": ({"ip_range": addresses.key_range("192.0.2.0/24")}, in_block("192.0.2.0/24")),
    "block of IPv6": ({"ip_range": addresses.key_range("2001:db8::/47")}, in_block("2001:db8::/48", "2001:db8:1::/48")),
    "no address there": ({"ip_range": addresses.key_range("10.0.0.0/8")}, lambda _: False),
    "confidence": ({"confidence_from": 0.2, "confidence_until": 0.4}, lambda e: 0.2 <= (e.confidence or 0) <= 0.4),
    "several": (
        {"equal": {"event": trail.Event.SUCCEEDED, "sha256": "1"}, "confidence_from": 0.5},
        lambda e: (e.event, e.sha256) == (trail.Event.SUCCEEDED, "1") and (e.confidence or 0) >= 0.5,
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_pages_hold_what_is_wanted_without_gaps(database: Database, events: list[AuditEvent], name: str) -> None:
    filters, fits = FILTERS[name]
    for wanted, expected in (
        (Wanted(**filters), [event for event in events if fits(event)]),
        (
            Wanted(**filters, since=events[-5].occurred_at, until=events[5].occurred_at),
            [e for e in events if fits(e) and events[-5].occurred_at <= e.occurred_at < events[5].occurred_at],
        ),
    ):
        for limit in (1, 4, 1000):
            assert walk(database, wanted, limit) == expected
        assert [event for portion in queries.portions(database, wanted) for event in portion] == expected


def walk(database: Database, wanted: Wanted, limit: int) -> list[AuditEvent]:
    found: list[AuditEvent] = []
    place = None
    while True:
        with database.read() as connection:
            page = queries.page(connection, wanted, limit=limit, before=place)
        assert len(page.events) <= limit
        found += page.events
        if page.following is None:
            return found
        place = Place.of_cursor(page.following.cursor())
        assert place == page.following


def test_events_that_come_meanwhile_shift_nothing(database: Database, events: list[AuditEvent]) -> None:
    with database.read() as connection:
        first = queries.page(connection, Wanted(), limit=5)
    with database.write() as connection:
        trail.record(connection, event="test", actor=Actor("worker", "x"))
    with database.read() as connection:
        second = queries.page(connection, Wanted(), limit=5, before=first.following)
    assert first.events + second.events == events[:10]


def test_an_export_holds_no_connection_while_its_reader_is_slow(
    database: Database, events: list[AuditEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PORTION", 10)
    url = database.url.render_as_string(hide_password=False)
    narrow = Database(url, pool_size=1)
    portions = queries.portions(narrow, Wanted())
    assert len(next(portions)) == 10
    with narrow.write() as connection:  # the only connection is free, and nothing is locked
        trail.record(connection, event="test", actor=Actor("worker", "x"))
    assert sum(len(portion) for portion in portions) == len(events) - 10
    narrow.close()


@pytest.mark.parametrize("name", FILTERS)
def test_a_search_that_takes_too_long_goes_on_with_the_next_page(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    database = Database(postgres_url)
    expected = [event for event in write_events(database) if FILTERS[name][1](event)]
    monkeypatch.setattr(queries, "WINDOW", 5)
    real = queries.page_query

    def page_query(wanted: Wanted, **given: Any) -> Any:
        query = real(wanted, **given)
        return query if given == {"limit": 1} else query.where(tables.audit_events.c.id > slow())

    monkeypatch.setattr(queries, "page_query", page_query)
    assert walk(database, Wanted(**FILTERS[name][0]), 3) == expected
    database.close()


def slow() -> Any:
    """A number that takes longer to come than any search may."""
    return select(literal_column("-1 + length(pg_sleep(10)::text)")).scalar_subquery()


def test_the_numbers_are_those_of_the_events(database: Database, events: list[AuditEvent]) -> None:
    since, until = events[-4].occurred_at, events[3].occurred_at
    inside = [event for event in events if since <= event.occurred_at < until]
    with database.read() as connection:
        numbers = stats.stats(connection, since, until)
    read = [event.confidence for event in inside if event.confidence is not None]
    assert numbers["event_count"] == len(inside)
    for event in (trail.Event.SUCCEEDED, trail.Event.FAILED):
        assert numbers["events"][event] == sum(e.event == event for e in inside)
        assert numbers["outcomes"][event.partition(".")[2]] == numbers["events"][event]
    confidence = numbers["confidence"]
    assert (confidence["count"], confidence["min"]) == (len(read), min(read))
    assert confidence["mean"] == pytest.approx(sum(read) / len(read))
    assert [bar["count"] for bar in confidence["histogram"]] == [
        sum(min(int(c * 10), 9) == n for c in read) for n in range(10)
    ]
    assert {(m["name"], m["version"]): m["job_count"] for m in numbers["models"]} == {
        ("crnn", version): sum(e.model_version == version for e in inside) for version in "12"
    }
    assert {day["day"]: day["event_count"] for day in numbers["days"]} == {
        str(day): len(list(own)) for day, own in itertools.groupby(inside, lambda e: e.occurred_at.date())
    }
    assert [row["duration_ms"] for row in numbers["slowest"]] == sorted((e.duration_ms for e in inside), reverse=True)[
        :10
    ]
    assert [row["confidence"] for row in numbers["least_certain"]] == sorted(read)[:10]


def test_the_numbers_of_no_time_are_none(database: Database) -> None:
    with database.read() as connection:
        numbers = stats.stats(
            connection, datetime.fromisoformat("2020-01-01T00:00Z"), datetime.fromisoformat("2020-01-02T00:00Z")
        )
    assert (numbers["event_count"], numbers["models"], numbers["slowest"]) == (0, [], [])
    assert numbers["confidence"]["mean"] is None
