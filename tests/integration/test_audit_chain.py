"""Whatever is done to a sealed audit event is noticed, and named, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, delete, exc, func, insert, select, text, update

from shared import jobs, tables
from shared.audit import chain, purge_guard, retention, trail, verify
from shared.audit.actor import Actor
from shared.audit.chain import Head, Sealer
from shared.audit.trail import Event
from shared.audit.verify import Broken, Report
from shared.database import Database, database_now
from shared.jobs import Submission
from tests.actors import CLIENT
from tests.unit.api.conftest import RESULT

DAY = 86_400.0
EVENTS, SEALS = tables.audit_events, tables.audit_seals
TRIGGERS = [f"{table}_no_{order}" for table in ("audit_events", "audit_seals") for order in ("update", "delete")]


@pytest.fixture(autouse=True)
def small_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three events a seal."""
    monkeypatch.setattr(chain, "BATCH", 3)


def record(database: Database, count: int) -> None:
    with database.write() as connection:
        for n in range(count):
            trail.record(
                connection, event=Event.SUCCEEDED, actor=Actor("worker", f"node/{n}", address="192.0.2.1"),
                confidence=n / 7, model={"name": "m", "version": "1", "sha256": "0"}, outcome="succeeded",
            )  # fmt: skip


def seal_all(database: Database) -> None:
    sealer = Sealer(database)
    while sealer.seal():
        pass


@pytest.fixture
def sealed(database: Database) -> Database:
    """Ten events under four seals."""
    record(database, 10)
    seal_all(database)
    return database


def ids(database: Database) -> list[int]:
    with database.read() as connection:
        return list(connection.execute(select(EVENTS.c.id).order_by(EVENTS.c.id)).scalars())


def head(database: Database) -> Head:
    with database.read() as connection:
        return chain.head(connection)


@contextmanager
def with_all_power(database: Database) -> Iterator[Connection]:
    """As somebody who may do everything to the database, triggers included."""
    with database.write() as connection:
        if database.is_sqlite:
            for trigger in TRIGGERS:
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection


def whole(database: Database) -> Report:
    """The report of a chain that must be whole."""
    report = verify.verify(database)
    assert report.broken is None
    return report


def broken(database: Database) -> Broken:
    """What is found, in one go and in small steps alike."""
    found = verify.verify(database).broken
    assert found is not None
    report = verify.verify(database, most_events=1)
    while report.broken is None and report.following is not None:
        report = verify.verify(database, first=report.following, most_events=1)
    assert report.broken == found
    return found


def test_events_are_sealed_in_order_and_verified(sealed: Database) -> None:
    report = whole(sealed)
    assert (report.first_seal, report.seal_count, report.event_count, report.following) == (1, 4, 10, None)
    assert (head(sealed).number, head(sealed).last_id) == (4, ids(sealed)[-1])
    with sealed.read() as connection:
        assert chain.unsealed(connection) == (0, None)
    record(sealed, 1)
    with sealed.read() as connection:
        assert chain.unsealed(connection)[0] == 1
    assert whole(sealed).event_count == 10, "what is not sealed yet is not judged"


def test_an_empty_trail_is_whole(database: Database) -> None:
    seal_all(database)
    assert (whole(database).seal_count, head(database).hash) == (0, chain.GENESIS)


@pytest.mark.parametrize(
    "change",
    [{"actor": "node/X"}, {"client_ip": "192.0.2.2"}, {"ip_key": "4c0000202"}, {"confidence": 0.7142857142857144},
     {"model": None}, {"key_id": "k"}, {"duration_ms": 1}, {"occurred_at": database_now(-5)}, {"code": ""}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_changed_event_is_named(sealed: Database, change: dict[str, Any]) -> None:
    sixth = ids(sealed)[5]
    with with_all_power(sealed) as connection:
        connection.execute(update(EVENTS).where(EVENTS.c.id == sixth).values(**change))
    assert broken(sealed) == Broken(verify.CHANGED, 2, sixth)


def test_of_several_the_first_is_named(sealed: Database) -> None:
    known = ids(sealed)
    with with_all_power(sealed) as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.id == known[8]))
        connection.execute(update(EVENTS).where(EVENTS.c.id == known[4]).values(attempt=99))
    assert broken(sealed) == Broken(verify.CHANGED, 2, known[4])


@pytest.mark.parametrize("place", [0, 2, 4, 9])
def test_a_deleted_event_is_named(sealed: Database, place: int) -> None:
    gone = ids(sealed)[place]
    with with_all_power(sealed) as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.id == gone))
    assert broken(sealed) == Broken(verify.DELETED, place // 3 + 1, gone)


def test_an_event_before_the_first_is_named(sealed: Database) -> None:
    with sealed.write() as connection:
        connection.execute(insert(EVENTS).values(id=0, occurred_at=database_now(), event="x", actor="x"))
    assert broken(sealed) == Broken(verify.INSERTED, 0, 0)


def test_an_event_in_a_gap_of_the_ids_is_named(database: Database) -> None:
    record(database, 4)
    with with_all_power(database) as connection:
        second = ids(database)[1]
        connection.execute(delete(EVENTS).where(EVENTS.c.id == second))
    seal_all(database)
    whole(database)
    with database.write() as connection:
        connection.execute(insert(EVENTS).values(id=second, occurred_at=database_now(), event="x", actor="x"))
    assert broken(database) == Broken(verify.INSERTED, 1, second)


def test_events_that_change_places_are_named(sealed: Database) -> None:
    second, third = ids(sealed)[1:3]
    with with_all_power(sealed) as connection:
        for old, new in ((second, -1), (third, second), (-1, third)):
            connection.execute(update(EVENTS).where(EVENTS.c.id == old).values(id=new))
    assert broken(sealed) == Broken(verify.CHANGED, 1, second)


@pytest.mark.parametrize("column", ["hash", "previous_hash", "digests", "until_at", "last_id", "event_count"])
def test_a_changed_seal_is_named(sealed: Database, column: str) -> None:
    with with_all_power(sealed) as connection:
        old = connection.execute(select(SEALS.c[column]).where(SEALS.c.number == 3)).scalar_one()
        new = {"hash": "0" * 64, "previous_hash": "0" * 64, "digests": b"x", "until_at": database_now()}.get(column, 0)
        assert new != old
        connection.execute(update(SEALS).where(SEALS.c.number == 3).values({column: new}))
    assert broken(sealed) == Broken(verify.SEAL_CHANGED, 3)


def test_a_seal_that_fits_a_changed_event_is_noticed_by_the_next(sealed: Database) -> None:
    """Whoever changes an event and its seal must write all seals after it anew, and the end of the chain."""
    with with_all_power(sealed) as connection:
        connection.execute(update(EVENTS).where(EVENTS.c.id == ids(sealed)[3]).values(actor="somebody else"))
        seal = connection.execute(select(SEALS).where(SEALS.c.number == 2)).one()
        rows = connection.execute(
            select(EVENTS).where(EVENTS.c.id.between(seal.first_id, seal.last_id)).order_by(EVENTS.c.id)
        ).mappings()
        digests = chain.packed((row["id"], chain.digest(row)) for row in rows)
        forged = chain.seal_hash(2, seal.previous_hash, seal.sealed_at, seal.until_at, digests)
        connection.execute(update(SEALS).where(SEALS.c.number == 2).values(digests=digests, hash=forged))
    assert broken(sealed) == Broken(verify.SEAL_CHANGED, 3)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_a_seal_that_is_gone_is_named(sealed: Database, number: int) -> None:
    with with_all_power(sealed) as connection:
        connection.execute(delete(SEALS).where(SEALS.c.number == number))
    assert broken(sealed) == Broken(verify.SEAL_MISSING, number)
    if number > 1:
        assert verify.verify(sealed, first=number + 1).broken == Broken(verify.SEAL_MISSING, number)


def test_a_tail_that_was_cut_off_is_noticed_by_the_head(sealed: Database) -> None:
    with with_all_power(sealed) as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.id == ids(sealed)[-1]))
        connection.execute(delete(SEALS).where(SEALS.c.number == 4))
    assert broken(sealed) == Broken(verify.SEAL_MISSING, 4)


def test_a_head_that_was_set_back_too_is_noticed_by_a_seal_that_was_kept(sealed: Database) -> None:
    kept = head(sealed).hash
    assert verify.verify(sealed, anchor=kept).broken is None
    with with_all_power(sealed) as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.id == ids(sealed)[-1]))
        third = connection.execute(select(SEALS).where(SEALS.c.number == 3)).one()
        connection.execute(delete(SEALS).where(SEALS.c.number == 4))
        connection.execute(update(tables.audit_chain).values(number=3, hash=third.hash, last_id=third.last_id))
    whole(sealed)
    found = verify.verify(sealed, anchor=kept).broken
    assert found is not None and found.problem == verify.ANCHOR_MISSING


def test_a_head_that_names_another_seal_is_noticed(sealed: Database) -> None:
    with sealed.write() as connection:
        connection.execute(update(tables.audit_chain).values(hash="0" * 64))
    assert broken(sealed) == Broken(verify.HEAD_CHANGED, 4)


def test_a_head_that_was_set_back_alone_is_noticed_and_breaks_no_sealer(sealed: Database) -> None:
    with sealed.write() as connection:
        third = connection.execute(select(SEALS).where(SEALS.c.number == 3)).one()
        connection.execute(update(tables.audit_chain).values(number=3, hash=third.hash, last_id=third.last_id))
    assert verify.verify(sealed).broken == Broken(verify.HEAD_CHANGED, 4)
    assert not Sealer(sealed).seal()
    assert verify.verify(sealed).broken == Broken(verify.HEAD_CHANGED, 4)


def test_a_head_that_is_gone_is_noticed_and_breaks_no_sealer(sealed: Database) -> None:
    with sealed.write() as connection:
        connection.execute(delete(tables.audit_chain))
    record(sealed, 1)
    assert not Sealer(sealed).seal()
    assert verify.verify(sealed).broken == Broken(verify.HEAD_CHANGED, 4)


def test_erasing_a_job_with_its_text_leaves_the_chain_whole(database: Database, submission: Submission) -> None:
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
        claimed = jobs.claim(connection, job.id, owner="node/1", lease_seconds=30)
        assert claimed is not None
        assert jobs.succeed(connection, job.id, str(claimed.lease_token), result=RESULT, timings_ms={})
    seal_all(database)
    with database.write() as connection:
        assert jobs.erase(connection, job.id, actor=CLIENT) is not None
    seal_all(database)
    assert whole(database).event_count == 4
    with database.read() as connection:
        events = trail.list_events(connection, job_id=job.id)
        assert connection.execute(select(func.count()).select_from(tables.results)).scalar_one() == 0
    assert [event.event for event in events][::-1] == [
        Event.SUBMITTED,
        Event.CLAIMED,
        Event.SUCCEEDED,
        Event.DELETED,
    ]
    assert [event.duration_ms is not None for event in events] == [False, True, False, False]
    assert str(RESULT["text"]) not in str(events)


@pytest.mark.parametrize("table", [EVENTS, SEALS])
@pytest.mark.parametrize("order", ["update", "delete"])
def test_the_database_refuses_to_change_what_is_sealed(sealed: Database, table: Any, order: str) -> None:
    statement = delete(table) if order == "delete" else update(table).values(hash="x" if table is SEALS else None)
    if table is EVENTS and order == "update":
        statement = update(table).values(actor="x")
    with pytest.raises(exc.IntegrityError, match="sealed audit events are never changed"), sealed.write() as connection:
        connection.execute(statement)
    assert whole(sealed).event_count == 10
    with pytest.raises(exc.IntegrityError), sealed.write() as connection:
        connection.execute(delete(tables.audit_chain))
        connection.execute(statement)


def test_the_way_past_the_triggers_ends_with_its_block(sealed: Database) -> None:
    with sealed.write() as connection:
        with purge_guard.opened(connection):
            connection.execute(delete(EVENTS).where(EVENTS.c.id == ids(sealed)[0]))
        with pytest.raises(exc.IntegrityError):
            connection.execute(delete(EVENTS))


def test_many_sealers_at_once_write_each_seal_once(database: Database) -> None:
    record(database, 30)
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(4)]
    threads = [threading.Thread(target=seal_all, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seal_all(database)
    report = whole(database)
    assert (report.seal_count, report.event_count) == (10, 30)
    for other in others:
        other.close()


def test_an_event_that_is_committed_late_is_sealed_all_the_same(postgres_url: str) -> None:
    """A transaction takes its id, others commit higher ones, and only then does it commit."""
    database = Database(postgres_url)
    sealer = Sealer(database)
    with database.write() as late:
        trail.record(late, event="late", actor=Actor("worker", "x"))
        record(database, 2)
        sealer.seal()
        assert head(database).number == 0, "the late one may still come"
        record(database, 1)
        sealer.seal()
        assert head(database).number == 0
    sealer.seal()
    first = head(database)
    assert first.last_id >= ids(database)[2], "what was there at the first look"
    sealer.seal()
    assert whole(database).event_count == 4
    database.close()


def test_a_writer_that_goes_on_for_ever_does_not_hold_up_what_came_before_it(postgres_url: str) -> None:
    database = Database(postgres_url)
    sealer = Sealer(database)
    record(database, 3)
    with database.write() as first:
        trail.record(first, event="first", actor=Actor("worker", "x"))
        sealer.seal()
    with database.write() as second:  # there is always somebody who writes, but never the same
        trail.record(second, event="second", actor=Actor("worker", "x"))
        sealer.seal()
        assert head(database).last_id == ids(database)[2]
    database.close()


def test_old_events_leave_by_whole_seals_and_the_rest_stays_whole(database: Database) -> None:
    record(database, 7)
    with database.write() as connection:
        connection.execute(update(EVENTS).values(occurred_at=database_now(-3 * DAY)))
    seal_all(database)
    record(database, 4)
    seal_all(database)
    before = whole(database)
    assert (before.seal_count, before.event_count) == (5, 11)
    assert retention.forget_old(database, age_seconds=5 * DAY) == 0
    assert retention.forget_old(database, age_seconds=2 * DAY, seals=2) == 2, "a portion at a time"
    assert (whole(database).first_seal, whole(database).event_count) == (3, 5)
    assert retention.forget_old(database, age_seconds=2 * DAY) == 1
    assert retention.forget_old(database, age_seconds=2 * DAY) == 0
    after = whole(database)
    assert (after.first_seal, after.seal_count, after.event_count) == (4, 2, 4)
    assert len(ids(database)) == 4
    assert (after.head.number, after.head.hash) == (before.head.number, before.head.hash)
    assert verify.verify(database, anchor=after.head.purged_hash).broken is None
    with with_all_power(database) as connection:
        connection.execute(delete(EVENTS).where(EVENTS.c.id == ids(database)[0]))
    assert broken(database).problem == verify.DELETED


def test_events_of_different_days_have_different_seals(database: Database) -> None:
    record(database, 2)
    with database.write() as connection:
        connection.execute(
            update(EVENTS).where(EVENTS.c.id == ids(database)[0]).values(occurred_at=database_now(-2 * DAY))
        )
    seal_all(database)
    assert whole(database).seal_count == 2


def test_a_retention_beside_a_check_is_no_break(sealed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The events go between the look at the seals and the look at the events."""
    real = verify._events
    calls = []

    def purge_first(connection: Connection, *args: Any) -> Any:
        if not calls:
            calls.append(1)
            if not sealed.is_sqlite:  # a reader of SQLite sees one moment
                assert retention.forget_old(sealed, age_seconds=-5, seals=2) == 2
        return real(connection, *args)

    monkeypatch.setattr(verify, "_events", purge_first)
    assert whole(sealed).event_count == (10 if sealed.is_sqlite else 4)
