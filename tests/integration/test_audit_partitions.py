"""The trail on PostgreSQL: a partition for each month, pages by an index, and an end that comes by whole months."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from alembic import command
from sqlalchemy import Column, MetaData, Table, delete, insert, select, text

from shared import tables
from shared.audit import addresses, partitions, queries, retention, trail, verify
from shared.audit.actor import Actor
from shared.audit.chain import Sealer
from shared.audit.queries import Place, Wanted
from shared.database import Database, database_now
from shared.migrations import _config, migrate
from tests import audit_rows, services

DAY = 86_400.0
EVENTS = tables.audit_events


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.close()


@pytest.fixture(scope="module")
def year(postgres: services.Postgres, migrated_postgres: str) -> Iterator[tuple[Database, datetime]]:
    """A year of events, and its beginning."""
    url = postgres.new_database(template=migrated_postgres.split("?", maxsplit=1)[0].rsplit("/", 1)[1])
    database = Database(url)
    yield database, audit_rows.fill(database, 30_000)[0]
    database.close()
    postgres.drop_database(url)


def months(database: Database) -> list[str]:
    with database.read() as connection:
        return [f"{month:%Y-%m}" for month in partitions.months(connection)]


def count(database: Database, table: str) -> int:
    with database.read() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def record(database: Database, moment: Any, number: int = 1) -> None:
    with database.write() as connection:
        for _ in range(number):
            connection.execute(insert(EVENTS).values(occurred_at=moment, event="test", actor="x"))


def seal_all(database: Database) -> None:
    sealer = Sealer(database)
    while sealer.seal():
        pass


def ahead(database: Database) -> list[str]:
    """The names of this month and those that must be there before they come."""
    with database.read() as connection:
        month = partitions.month_of(connection.execute(select(database_now())).scalar_one())
    names = []
    for _ in range(partitions.MONTHS_AHEAD + 1):
        names.append(f"{month:%Y-%m}")
        month = partitions.after(month)
    return names


def drop_months_ahead(database: Database) -> None:
    with database.write() as connection:
        for name in ahead(database)[1:]:
            connection.execute(text(f"DROP TABLE audit_events_{name.replace('-', '_')}"))


def test_a_new_database_has_room_for_the_coming_months(database: Database) -> None:
    assert months(database) == ahead(database)
    assert partitions.ensure_months(database) == []


def test_an_event_of_a_month_without_partition_is_kept_and_moved_when_there_is_one(database: Database) -> None:
    drop_months_ahead(database)
    record(database, database_now(32 * DAY), 3)
    assert count(database, "audit_events_default") == 3
    seal_all(database)  # sealed events are moved, too
    assert [f"{month:%Y-%m}" for month in partitions.ensure_months(database)] == ahead(database)[1:]
    assert (count(database, "audit_events_default"), count(database, "audit_events")) == (0, 3)
    report = verify.verify(database)
    assert (report.broken, report.event_count) == (None, 3)
    with pytest.raises(Exception, match="never changed"), database.write() as connection:
        connection.execute(delete(EVENTS))


def test_many_sweepers_make_each_month_once(database: Database) -> None:
    drop_months_ahead(database)
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(4)]
    threads = [threading.Thread(target=partitions.ensure_months, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    partitions.ensure_months(database)
    assert months(database) == ahead(database)
    for other in others:
        other.close()


def test_a_month_waits_for_a_transaction_that_is_in_its_way_only_shortly(database: Database) -> None:
    drop_months_ahead(database)
    with database.read() as connection:
        connection.execute(text("SELECT * FROM audit_events_default"))
        assert partitions.ensure_months(database) == []
    assert len(partitions.ensure_months(database)) == partitions.MONTHS_AHEAD


def test_a_database_user_without_the_right_is_told_so_and_nothing_breaks(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = structlog.testing.CapturingLogger()
    monkeypatch.setattr(partitions, "log", log)
    drop_months_ahead(database)
    with database.write() as connection:
        connection.execute(text("DROP ROLE IF EXISTS meek"))
        connection.execute(text("CREATE ROLE meek LOGIN"))
        connection.execute(text("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO meek"))
        connection.execute(text("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO meek"))
    meek = Database(database.url.set(username="meek").render_as_string(hide_password=False))
    assert partitions.ensure_months(meek) == []
    assert [call.kwargs["event_name"] for call in log.calls] == ["audit.no_partition"]
    with meek.write() as connection:
        trail.record(connection, event="test", actor=Actor("worker", "x"))
    meek.close()
    with database.write() as connection:
        connection.execute(text("DROP OWNED BY meek"))
        connection.execute(text("DROP ROLE meek"))


def test_a_month_that_is_old_goes_as_a_whole_and_what_is_left_by_seals(
    postgres: services.Postgres, migrated_postgres: str
) -> None:
    url = postgres.new_database(template=migrated_postgres.split("?", maxsplit=1)[0].rsplit("/", 1)[1])
    database = Database(url)
    begin, now = audit_rows.fill(database, 3000)
    seal_all(database)
    before = verify.verify(database)
    cut = begin + timedelta(days=45)
    old = (now - cut).total_seconds()
    with database.read() as connection:
        kept = connection.execute(select(EVENTS.c.id).where(EVENTS.c.occurred_at >= cut)).scalars().all()
    assert retention.forget_old(database, age_seconds=old, seals=1) > 20, "the first month, all at once"
    assert months(database)[0] == f"{partitions.after(begin):%Y-%m}"
    while retention.forget_old(database, age_seconds=old):
        assert verify.verify(database).broken is None
    with database.read() as connection:
        left = connection.execute(select(EVENTS.c.id)).scalars().all()
    assert set(kept) <= set(left) and len(left) - len(kept) < 20, "one seal holds events before and after the cut"
    after = verify.verify(database)
    assert after.broken is None and after.head.hash == before.head.hash
    assert count(database, "audit_events_past") == 0
    record(database, begin)
    assert count(database, "audit_events_past") == 1, "there is no gap below the first month"
    database.close()
    postgres.drop_database(url)


def test_a_month_with_events_that_are_not_sealed_stays(database: Database) -> None:
    with database.write() as connection:
        month = audit_rows._add_months_before(connection, partitions.months(connection)[0])
    record(database, month)
    first = months(database)[0]
    retention.forget_old(database, age_seconds=40 * DAY)
    assert months(database)[0] == first
    seal_all(database)
    while months(database)[0] < ahead(database)[0]:
        retention.forget_old(database, age_seconds=-40 * DAY)
    assert count(database, "audit_events") == 0 and verify.verify(database).broken is None


WANTED = {
    "nothing": {},
    "event": {"equal": {"event": "job.claimed"}},
    "rare event": {"equal": {"event": "endpoint.created"}},
    "job": {"equal": {"job_id": "job_" + "7".zfill(26)}},
    "sha256": {"equal": {"sha256": "ab" * 32}},
    "key": {"equal": {"key_id": "key3"}},
    "state": {"equal": {"outcome": "failed"}},
    "model": {"equal": {"model": "crnn-zh-en"}},
    "model that never was": {"equal": {"model": "other"}},
    "version": {"equal": {"model": "crnn-zh-en", "model_version": "20260"}},
    "subject": {"equal": {"subject": "ep_1"}},
    "address": {"ip_range": addresses.key_range("10.1.2.9")},
    "block": {"ip_range": addresses.key_range("10.1.2.0/24")},
    "IPv6": {"ip_range": addresses.key_range("2001:db8::/32")},
    "confidence": {"confidence_from": 0.9},
    "rare confidence": {"confidence_from": 0.31, "confidence_until": 0.311},
    "key and event": {"equal": {"event": "job.failed", "key_id": "key3"}},
    "block and rare event": {"equal": {"event": "endpoint.created"}, "ip_range": addresses.key_range("10.0.0.0/8")},
}


@pytest.mark.parametrize("name", WANTED)
def test_each_page_is_found_by_an_index(year: tuple[Database, datetime], name: str) -> None:
    database, begin = year
    middle = Place(begin + timedelta(days=200), 1)
    for before in (None, middle):
        found = scans(database, Wanted(**WANTED[name]), before)
        tables_read = {table for _, table in found}
        assert {table for kind, table in found if kind == "Seq Scan"} <= empty(database)
        assert "audit_events_default" not in tables_read
        if before is not None:
            assert max(tables_read - {"audit_events_past"}) == partitions.name_of(middle.occurred_at)


def test_a_span_of_time_leaves_out_the_other_months(year: tuple[Database, datetime]) -> None:
    database, begin = year
    second = partitions.after(begin)
    wanted = Wanted(since=second + timedelta(days=3), until=second + timedelta(days=40))
    assert {table for _, table in scans(database, wanted, None)} == {
        partitions.name_of(second),
        partitions.name_of(partitions.after(second)),
    }


def test_the_months_are_read_one_after_the_other_and_no_more_than_needed(year: tuple[Database, datetime]) -> None:
    database, _ = year
    plan = explained(database, Wanted(), None, "ANALYZE, ")
    read = {node["Relation Name"] for node in nodes(plan) if node.get("Actual Loops") and "Relation Name" in node}
    assert "Merge Append" not in {node["Node Type"] for node in nodes(plan)}
    assert read <= {f"audit_events_{name.replace('-', '_')}" for name in ahead(database)}, "the newest month is enough"


def explained(database: Database, wanted: Wanted, before: Place | None, how: str = "") -> dict[str, Any]:
    query = queries.page_query(wanted, limit=51, before=before)
    with database.read() as connection:
        compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        (plans,) = connection.execute(text(f"EXPLAIN ({how}FORMAT JSON) {compiled}".replace(":", r"\:"))).scalars()
    return (json.loads(plans) if isinstance(plans, str) else plans)[0]["Plan"]  # type: ignore[no-any-return]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def scans(database: Database, wanted: Wanted, before: Place | None) -> set[tuple[str, str]]:
    """How the tables are read."""
    found = nodes(explained(database, wanted, before))
    return {(node["Node Type"], node["Relation Name"]) for node in found if "Relation Name" in node}


def empty(database: Database) -> set[str]:
    """Partitions without events, which are read in no time in any way."""
    return {"audit_events_past", *(f"audit_events_{name.replace('-', '_')}" for name in ahead(database)[1:])}


def test_events_of_the_old_schema_are_carried_over(postgres: services.Postgres, tmp_path: Path) -> None:
    fresh = postgres.new_database()
    for url in (f"sqlite:///{tmp_path / 'old.sqlite3'}", fresh):
        database = Database(url)
        with database.write() as connection:
            command.upgrade(_config(connection), "0003")
            for n, (client_ip, moment) in enumerate(
                [("192.0.2.1", "2024-02-03 04:05:06.789"), (None, "2025-06-01 00:00:00.000"), ("2001:db8::1", None)]
            ):
                values = {"event": "job.submitted", "actor": f"a{n}", "client_ip": client_ip}
                moment_at = database_now() if moment is None else datetime.fromisoformat(moment).replace(tzinfo=UTC)
                old = [c for c in EVENTS.c if c.name in (*values, "occurred_at")]
                connection.execute(insert(Table("audit_events", MetaData(), *(
                    Column(c.name, c.type) for c in old
                ))).values(occurred_at=moment_at, **values))  # fmt: skip
        migrate(database)
        with database.read() as connection:
            events = trail.list_events(connection)[::-1]
        assert [(event.actor, event.ip_key) for event in events] == [
            ("a0", "4c0000201"), ("a1", None), ("a2", "620010db8000000000000000000000001"),
        ]  # fmt: skip
        assert events[0].occurred_at == datetime(2024, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
        with database.write() as connection:
            trail.record(connection, event="test", actor=Actor("worker", "after"))
        seal_all(database)
        report = verify.verify(database)
        assert (report.broken, report.event_count) == (None, 4)
        with database.write() as connection:
            command.downgrade(_config(connection), "0003")
            connection.execute(text("UPDATE audit_events SET actor = actor"))
            assert connection.execute(text("SELECT count(*) FROM audit_events")).scalar_one() == 4
        migrate(database)
        with database.write() as connection:
            trail.record(connection, event="test", actor=Actor("worker", "again"))
            assert len({event.id for event in trail.list_events(connection)}) == 5
        database.close()
    postgres.drop_database(fresh)
