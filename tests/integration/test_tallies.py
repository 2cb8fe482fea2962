"""The sums behind /metrics: what is counted, once, by whichever sweeper, and never less than before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text, update

from api.service import gauges
from shared import errors, jobs, workers
from shared.audit import retention, tallies, trail
from shared.audit.actor import SWEEPER
from shared.audit.chain import Sealer
from shared.database import Database, database_now
from shared.jobs import Job, Submission
from shared.migrations import _config, migrate
from shared.tables import tally_cursor
from tests import services
from tests.unit.api.conftest import RESULT
from worker.sweep.tally import Tally

TIMINGS = {"queue": 30.0, "decode": 4.0, "preprocess": 20.0, "lines": 60.0, "recognition": 700.0, "total": 814.0}


OLD_EVENT = (
    "INSERT INTO audit_events (occurred_at, event, actor) VALUES ('2026-01-01 00:00:00.000', 'job.claimed', 'n/1')"
)


def submit(database: Database, submission: Submission) -> Job:
    with database.write() as connection:
        return jobs.submit(connection, submission, max_attempts=4)


def claim(database: Database, job: Job) -> Job:
    with database.write() as connection:
        claimed = jobs.claim(connection, job.id, owner="n/1", lease_seconds=30)
    assert claimed is not None
    return claimed


def read_one(database: Database, submission: Submission) -> Job:
    job = claim(database, submit(database, submission))
    with database.write() as connection:
        assert jobs.succeed(connection, job.id, str(job.lease_token), result=RESULT, timings_ms=TIMINGS)
    return job


def sums(database: Database) -> dict[tallies.Key, float]:
    with database.read() as connection:
        return tallies.read(connection)


def count(database: Database) -> int:
    return tallies.advance(database, settled_seconds=0)


def test_each_event_is_counted_once(database: Database, submission: Submission) -> None:
    for _ in range(3):
        read_one(database, submission)
    assert (count(database), count(database)) == (9, 0)
    read_one(database, submission)
    count(database)
    for event in (trail.Event.SUBMITTED, trail.Event.CLAIMED, trail.Event.SUCCEEDED):
        assert sums(database)[tallies.EVENTS, event, ""] == 4


def test_stages_and_confidence_become_buckets(database: Database, submission: Submission) -> None:
    read_one(database, submission)
    count(database)
    found = sums(database)
    for stage, bucket in {"decode": "0.005", "queue": "0.05", "recognition": "1.0", "total": "1.0"}.items():
        assert found[tallies.STAGES, stage, bucket] == 1
        assert found[tallies.STAGES, stage, tallies.SUM] == pytest.approx(TIMINGS[stage] / 1000)
    assert found[tallies.CONFIDENCE, "m", "0.9"] == 1
    assert found[tallies.CONFIDENCE, "m", tallies.SUM] == pytest.approx(0.9)


def test_what_lies_beyond_the_last_bound_is_counted_too(database: Database, submission: Submission) -> None:
    job = claim(database, submit(database, submission))
    with database.write() as connection:
        jobs.succeed(connection, job.id, str(job.lease_token), result=RESULT, timings_ms={"queue": 1e9})
    count(database)
    assert sums(database)[tallies.STAGES, "queue", tallies.BEYOND] == 1


def test_a_copy_is_counted_as_one_and_not_as_work(database: Database, submission: Submission) -> None:
    source = read_one(database, submission)
    count(database)
    before = sums(database)
    with database.write() as connection:
        assert jobs.submit_copy(connection, submission, source.id, max_attempts=4)
    count(database)
    after = sums(database)
    assert after[tallies.COPIES, "", ""] == 1
    assert {key for key in after if after[key] != before.get(key)} == {
        (tallies.EVENTS, trail.Event.SUBMITTED, ""),
        (tallies.EVENTS, trail.Event.SUCCEEDED, ""),
        (tallies.COPIES, "", ""),
    }


def test_failures_are_counted_by_code(database: Database, submission: Submission) -> None:
    for error in (errors.CorruptImage(), errors.CorruptImage(), errors.TruncatedImage()):
        job = claim(database, submit(database, submission))
        with database.write() as connection:
            jobs.fail(connection, job.id, str(job.lease_token), error=error)
    count(database)
    assert sums(database)[tallies.FAILURES, "corrupt_image", ""] == 2
    assert sums(database)[tallies.FAILURES, "truncated_image", ""] == 1


def test_sums_do_not_fall_when_jobs_and_events_are_deleted(database: Database, submission: Submission) -> None:
    job = read_one(database, submission)
    count(database)
    before = sums(database)
    with database.write() as connection:
        jobs.erase(connection, job.id, actor=SWEEPER)
    Sealer(database).seal()
    assert retention.forget_old(database, age_seconds=-60) > 0
    count(database)
    after = sums(database)
    assert all(after[key] >= before[key] for key in before)


def test_young_events_wait_because_an_older_one_may_still_be_committed(
    database: Database, submission: Submission
) -> None:
    read_one(database, submission)
    assert tallies.advance(database, settled_seconds=60) == 0
    assert sums(database) == {}
    assert count(database) == 3


def test_an_event_with_a_smaller_id_that_is_committed_later_is_counted(
    postgres_url: str, submission: Submission
) -> None:
    """PostgreSQL gives out ids before the commit; the cursor does not pass what is younger than the pause."""
    database = Database(postgres_url)
    with database.write() as slow:
        jobs.submit(slow, submission, max_attempts=4)
        read_one(database, submission)
        assert tallies.advance(database) == 0
    assert count(database) == 4
    database.close()


def test_of_many_sweepers_one_counts_each_event(
    database: Database, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "PORTION", 2)
    for _ in range(8):
        read_one(database, submission)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: [count(database) for _ in range(20)], range(4)))
    while count(database):
        pass
    assert sums(database)[tallies.EVENTS, trail.Event.SUCCEEDED, ""] == 8
    assert sums(database)[tallies.STAGES, "total", "1.0"] == 8


def test_the_sums_begin_where_the_trail_ended_when_they_were_introduced(
    postgres: services.Postgres, tmp_path: Path, submission: Submission
) -> None:
    fresh = postgres.new_database()
    for url in (f"sqlite:///{tmp_path / 'old.sqlite3'}", fresh):
        database = Database(url)
        with database.write() as connection:
            command.upgrade(_config(connection), "0003")
            for _ in range(3):
                connection.execute(text(OLD_EVENT))
        migrate(database)
        with database.read() as connection:
            assert connection.execute(select(tally_cursor.c.audit_id)).scalar_one() == 3
            assert tallies.silence_seconds(connection) < 60
        read_one(database, submission)
        assert count(database) == 3
        database.close()
    postgres.drop_database(fresh)


def test_a_sweeper_without_news_says_every_now_and_then_that_it_lives(database: Database) -> None:
    def silence() -> float:
        with database.read() as connection:
            return tallies.silence_seconds(connection)

    assert Tally(database)() is None
    with database.write() as connection:
        connection.execute(update(tally_cursor).values(swept_at=database_now(-tallies.SIGN_OF_LIFE_SECONDS - 100)))
    assert silence() > 100
    Tally(database)()
    assert silence() < 60


def test_numbers_that_cannot_be_kept_stop_no_sweeper(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_database: Database) -> int:
        raise ValueError("a mistake of ours")

    monkeypatch.setattr(tallies, "advance", broken)
    Tally(Database(sqlite_url))()


def test_the_gauges_say_what_waits_and_what_runs(database: Database, submission: Submission) -> None:
    empty = gauges.read(database)
    assert (empty.queued, empty.running, empty.oldest_seconds) == ({"high": 0, "normal": 0, "bulk": 0}, 0, 0)
    assert (empty.deliveries, empty.overdue_seconds) == ({"waiting": 0, "retrying": 0, "running": 0}, 0)
    old = submit(database, submission)
    submit(database, replace(submission, priority="high"))
    claim(database, submit(database, submission))
    with database.write() as connection:
        age = "created_at = :then"
        then = connection.execute(select(database_now(-500))).scalar_one()
        bound = then if not database.is_sqlite else then.strftime("%Y-%m-%d %H:%M:%S.000")
        connection.execute(text(f"UPDATE jobs SET {age} WHERE id = :id"), {"then": bound, "id": old.id})
        workers.register(connection, node="n", host="h", pid=7, model=RESULT["model"], rss_bytes=5)  # type: ignore[arg-type]
    found = gauges.read(database)
    assert (found.queued, found.running) == ({"high": 1, "normal": 1, "bulk": 0}, 1)
    assert 499 < found.oldest_seconds < 600
    assert [(child.id, child.rss_bytes) for child in found.children] == [("n/7", 5)]


def test_a_retry_that_waits_does_not_count_as_overdue(database: Database, submission: Submission) -> None:
    job = claim(database, submit(database, submission))
    with database.write() as connection:
        jobs.fail(connection, job.id, str(job.lease_token), error=errors.RecognitionFailed())
    found = gauges.read(database)
    assert (found.queued["normal"], found.oldest_seconds) == (1, 0)


def test_nothing_is_counted_beyond_the_bound(
    database: Database, submission: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gauges, "MAX_COUNTED", 3)
    for _ in range(5):
        submit(database, submission)
    assert gauges.read(database).queued["normal"] == 3


def test_a_question_that_takes_too_long_is_given_up(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(postgres_url)
    monkeypatch.setattr(gauges, "TIME_LIMIT_MS", 50)
    with database.write() as connection:
        connection.execute(text("LOCK TABLE worker_children IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(errors.DatabaseUnavailable):
            gauges.read(database)
    gauges.read(database)
    database.close()
