"""Keys in both databases: made, rotated, revoked, on record, and counted with their jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from shared import jobs, keys
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.database import Database
from shared.jobs import Submission
from shared.keys import record
from shared.keys.record import ApiKey, Scope
from shared.tables import api_keys
from tests.actors import CLIENT


def make(database: Database, *scopes: Scope, lifetime_seconds: float | None = None) -> tuple[ApiKey, str]:
    with database.write() as connection:
        return keys.create(connection, name="test", scopes=scopes, lifetime_seconds=lifetime_seconds, actor=OPERATOR)


def events_of(database: Database) -> list[tuple[str, str | None]]:
    with database.read() as connection:
        return [(event.event, event.subject) for event in trail.list_events(connection)][::-1]


def test_only_the_hash_of_a_key_is_stored(database: Database) -> None:
    key, text = make(database, Scope.READ, Scope.SUBMIT)
    with database.read() as connection:
        row = connection.execute(select(api_keys)).one()
        assert keys.list_keys(connection) == [key]
    assert row.sha256 == record.digest(text)
    secret = text.split("_")[2]
    assert not any(secret in str(value) for value in row)
    assert (row.scopes, key.scopes) == (["read", "submit"], {Scope.READ, Scope.SUBMIT})


def test_each_change_of_a_key_is_on_record_and_changes_the_generation(database: Database) -> None:
    generations = []

    def note() -> None:
        with database.read() as connection:
            generations.append(keys.generation(connection))

    note()
    key, _ = make(database, Scope.READ)
    note()
    with database.write() as connection:
        assert keys.rotate(connection, key.id, grace_seconds=60, actor=OPERATOR) is not None
    note()
    with database.write() as connection:
        keys.note_use(connection, key.id)
    note()
    with database.write() as connection:
        revoked = keys.revoke(connection, key.id, actor=OPERATOR)
        assert revoked is not None and revoked.revoked_at is not None and revoked.last_used_at is not None
    note()
    assert events_of(database) == [(event, key.id) for event in ("key.created", "key.rotated", "key.revoked")]
    assert generations[2] == generations[3], "a use is no change"
    assert len(set(generations)) == 4
    with database.read() as connection:
        assert keys.load(connection)[0] == []
    assert keys.any_exists(database)


def test_a_revoked_key_is_neither_rotated_nor_revoked_again(database: Database) -> None:
    key, _ = make(database, Scope.READ)
    with database.write() as connection:
        assert keys.revoke(connection, key.id, actor=OPERATOR) is not None
        assert keys.revoke(connection, key.id, actor=OPERATOR) is None
        assert keys.rotate(connection, key.id, grace_seconds=0, actor=OPERATOR) is None
        assert keys.revoke(connection, "key_none", actor=OPERATOR) is None


def test_what_is_rolled_back_leaves_neither_key_nor_record(database: Database) -> None:
    with pytest.raises(RuntimeError), database.write() as connection:
        keys.create(connection, name="test", scopes=[Scope.READ], actor=OPERATOR)
        raise RuntimeError
    assert not keys.any_exists(database)
    assert events_of(database) == []


def test_of_many_submissions_at_once_no_more_are_open_than_allowed(database: Database, submission: Submission) -> None:
    key, _ = make(database, Scope.SUBMIT)
    most, tries = 3, 8
    together = threading.Barrier(tries)

    def submit(_: int) -> bool:
        together.wait()
        with database.write() as connection:
            if jobs.open_count(connection, key.id) >= most:
                return False
            jobs.submit(connection, replace(submission, key_id=key.id), max_attempts=3)
            return True

    with ThreadPoolExecutor(tries) as pool:
        assert sum(pool.map(submit, range(tries))) == most


def test_only_open_jobs_of_the_key_count(database: Database, submission: Submission) -> None:
    key, _ = make(database, Scope.SUBMIT)
    other, _ = make(database, Scope.SUBMIT)
    with database.write() as connection:
        for owner in (key.id, key.id, other.id, None):
            job = jobs.submit(connection, replace(submission, key_id=owner), max_attempts=3)
        first = jobs.list_jobs(connection, key_id=key.id)[-1]
        jobs.claim(connection, first.id, owner="n/1", lease_seconds=30)
        assert jobs.open_count(connection, key.id) == 2
        jobs.cancel(connection, first.id, actor=CLIENT)
        assert jobs.open_count(connection, key.id) == 1
        assert jobs.open_count(connection, other.id) == 1
        assert job.key_id is None


@pytest.fixture
def plan(database: Database) -> Callable[[str], str]:
    """How the database would answer a question about a table that is not small."""

    def plan(question: str) -> str:
        with database.read() as connection:
            if database.is_sqlite:
                return str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}").all())
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            return str(connection.exec_driver_sql(f"EXPLAIN {question}").all())

    return plan


def test_open_jobs_and_the_list_of_a_key_are_found_by_their_indexes(plan: Callable[[str], str]) -> None:
    assert "ix_jobs_open_key_id" in plan(
        "SELECT count(*) FROM jobs WHERE key_id = 'key_1' AND state IN ('queued', 'running')"
    )
    assert "ix_jobs_key_id_id" in plan("SELECT * FROM jobs WHERE key_id = 'key_1' ORDER BY id DESC LIMIT 50")
