"""Schema, transactions and the clock, on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select, text, update

from shared import clock, errors, jobs, workers
from shared.audit.partitions import is_partition
from shared.database import Database, database_now, journal_mode
from shared.jobs import Submission
from shared.migrations import _config, check_schema, migrate
from shared.tables import metadata, worker_children
from tests import services
from worker.sweep import broker_epoch

OLD_JOB = """
    INSERT INTO jobs (id, state, priority, attempt, max_attempts, created_at, publish_count, sha256, media_type,
                      size_bytes, page_count, width, height, options)
    VALUES ('job_old', 'queued', 1, 0, 4, '2026-01-01 00:00:00.000', 1, 'ab', 'image/png', 1, 1, 1, 1, '{}')
"""
OLD_RESULT = "INSERT INTO results (job_id, created_at, document) VALUES (:job_id, '2026-01-01 00:00:00.000', '{}')"
MODEL = {"name": "crnn", "version": "1", "sha256": "ab" * 32}


def test_the_tables_in_the_code_are_those_of_the_migrations(database: Database) -> None:
    def is_ours(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or not is_partition(name or "")

    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(database: Database) -> None:
    migrate(database)
    check_schema(database)


def test_jobs_of_the_first_schema_are_kept_by_the_second(postgres: services.Postgres, tmp_path: Path) -> None:
    fresh = postgres.new_database()
    for url in (f"sqlite:///{tmp_path / 'old.sqlite3'}", fresh):
        database = Database(url)
        with database.write() as connection:
            command.upgrade(_config(connection), "0001")
            connection.execute(text(OLD_JOB))
        with pytest.raises(errors.InvalidConfiguration, match="ocrelay migrate"):
            check_schema(database)
        migrate(database)
        with database.write() as connection:
            (job,) = jobs.list_jobs(connection)
            assert (job.state, job.batch_id, job.copied_from, job.options_sha256) == ("queued", None, None, None)
            assert jobs.claim(connection, job.id, owner="n/1", lease_seconds=30) is not None
            assert broker_epoch.known(connection) == broker_epoch.UNKNOWN
            connection.execute(text(OLD_RESULT), {"job_id": job.id})
        with database.write() as connection:
            command.downgrade(_config(connection), "0001")
        with database.read() as connection:
            assert connection.execute(text("SELECT count(*) FROM results")).scalar_one() == 1
        migrate(database)
        database.close()
    postgres.drop_database(fresh)


def test_migrating_from_many_threads_at_once_is_safe(postgres: services.Postgres, tmp_path: Path) -> None:
    fresh = postgres.new_database()
    for url in (f"sqlite:///{tmp_path / 'fresh.sqlite3'}", fresh):
        databases = [Database(url) for _ in range(4)]
        threads = [threading.Thread(target=migrate, args=(database,)) for database in databases]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        check_schema(databases[0])
        for database in databases:
            database.close()
    postgres.drop_database(fresh)


def test_a_database_without_schema_is_refused_with_the_way_out(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.sqlite3'}")
    with pytest.raises(errors.InvalidConfiguration, match=f"`ocrelay migrate --data {tmp_path}`"):
        check_schema(database)
    database.close()


def test_the_clock_of_the_database_is_aware_and_can_be_moved(database: Database) -> None:
    with database.read() as connection:
        now, later = connection.execute(select(database_now(), database_now(90))).one()
    assert abs((now - clock.now()).total_seconds()) < 60
    assert 89 < (later - now).total_seconds() < 91


def test_the_clock_of_the_database_moves_on_inside_a_transaction(database: Database) -> None:
    with database.write() as connection:
        before = connection.execute(select(database_now())).scalar_one()
        clock.sleep(0.05)
        assert connection.execute(select(database_now())).scalar_one() > before


def test_many_writers_of_a_sqlite_file_all_get_their_turn(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    def count_up() -> None:
        for _ in range(5):
            with database.write() as connection:
                number = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": number + 1})

    with database.write() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 20
    database.close()


def test_sqlite_keeps_to_the_journal_mode_that_is_safe(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.read() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar_one() == journal_mode().lower()
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
    database.close()


def test_only_a_transaction_that_may_be_undone_by_a_loss_of_power_waits_for_no_disk(database: Database) -> None:
    def promise(*, is_synced: bool) -> str:
        with database.write(is_synced=is_synced) as connection:
            question = "PRAGMA synchronous" if database.is_sqlite else "SHOW synchronous_commit"
            return str(connection.execute(text(question)).scalar_one())

    weak, full = ("1", "2") if database.is_sqlite and journal_mode() == "WAL" else ("2", "2")
    if not database.is_sqlite:
        weak, full = "off", "on"
    assert [promise(is_synced=one) for one in (True, False, False, True)] == [full, weak, weak, full]
    with database.write() as connection:
        assert connection.get_execution_options().get("is_synced", True)


ALONE = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
"""
"""Asks for the bytes that every connection holds for reading."""


def test_a_new_connection_takes_no_locks_from_those_that_are_open(sqlite_url: str) -> None:
    """Else another program takes itself for the last one, and removes the journal when it ends."""
    if journal_mode() != "WAL":
        pytest.skip("without WAL a connection holds no lock while it is idle")
    database = Database(sqlite_url, pool_size=2)
    with database.read() as one, database.read() as other:  # the second connection comes while the first one is open
        for connection in (one, other):
            connection.execute(text("SELECT count(*) FROM jobs"))
    seen = subprocess.run([sys.executable, "-c", ALONE, str(database.url.database)], capture_output=True, check=False)
    assert b"BlockingIOError" in seen.stderr
    database.close()
    assert subprocess.run([sys.executable, "-c", ALONE, str(database.url.database)], check=False).returncode == 0


def test_sqlite_without_wal_always_waits_for_the_disk(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'old.sqlite3'}")  # whose journal mode nobody has chosen: DELETE
    with database.write(is_synced=False) as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
    database.close()


def test_a_server_that_is_away_is_reported_as_such() -> None:
    database = Database("postgresql://nobody@127.0.0.1:9/none")
    with pytest.raises(errors.DatabaseUnavailable), database.read():
        pass
    database.close()


def test_a_child_is_listed_while_it_is_heard_of(database: Database) -> None:
    with database.write() as connection:
        child_id = workers.register(connection, node="n", host="h", pid=7, model=MODEL)
    with database.read() as connection:
        (child,) = workers.live_children(connection)
        assert (child.id, child.node, child.host, child.pid, child.model) == (child_id, "n", "h", 7, "crnn")
        assert workers.live_children(connection, node="other") == []


def test_children_and_another_answer_come_in_one_statement(database: Database, submission: Submission) -> None:
    with database.write() as connection:
        assert workers.live_children_and(connection, jobs.waiting_count()) == ([], 0)
        for pid in (7, 8):
            workers.register(connection, node="n", host="h", pid=pid, model=MODEL)
        jobs.submit(connection, submission, max_attempts=3)
        children, waiting = workers.live_children_and(connection, jobs.waiting_count())
        assert (children, waiting) == (workers.live_children(connection), jobs.backlog(connection))
        assert (len(children), waiting) == (2, 1)


def test_a_child_that_fell_silent_is_not_listed(database: Database) -> None:
    with database.write() as connection:
        child_id = workers.register(connection, node="n", host="h", pid=7, model=MODEL)
        connection.execute(update(worker_children).values(heartbeat_at=database_now(-60)))
        assert workers.live_children(connection) == []
        assert workers.refresh(connection, child_id)
        assert len(workers.live_children(connection)) == 1


def test_a_child_that_was_forgotten_must_register_again(database: Database) -> None:
    with database.write() as connection:
        child_id = workers.register(connection, node="n", host="h", pid=7, model=MODEL)
        workers.forget_node(connection, "n")
        assert not workers.refresh(connection, child_id)
