"""Small jobs that are claimed in company, on both databases: who comes along, and what becomes of them."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import update

from shared import errors, ids, jobs, workers
from shared.audit import trail
from shared.database import Database, database_now
from shared.jobs import Job, State, Submission, company
from shared.tables import jobs as table
from tests.actors import CLIENT

OWNER = "node/task"
MODEL = {"name": "m", "version": "1", "sha256": "cd" * 32}
RESULT = {"text": "x", "confidence": 1.0, "min_confidence": 1.0, "model": MODEL, "pages": []}


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, what a test submits lies near together."""
    monkeypatch.setattr(company, "LATER_MILLISECONDS", 600_000)
    monkeypatch.setattr(company, "EARLIER_MILLISECONDS", 600_000)


def submit(database: Database, submission: Submission, count: int = 1, *, max_attempts: int = 4) -> list[str]:
    with database.write() as connection:
        return [jobs.submit(connection, submission, max_attempts=max_attempts).id for _ in range(count)]


def claim(database: Database, job_id: str, owner: str = OWNER) -> list[Job]:
    with database.write() as connection:
        first = jobs.claim(connection, job_id, owner=owner, lease_seconds=30)
        assert first is not None
        return [first, *(jobs.claim_like(connection, first, lease_seconds=30) if jobs.is_sociable(first) else [])]


def found(database: Database, job_id: str) -> Job:
    with database.read() as connection:
        job = jobs.get(connection, job_id)
    assert job is not None
    return job


def events(database: Database, job_id: str) -> list[str]:
    with database.read() as connection:
        return [event.event for event in reversed(trail.list_events(connection, job_id=job_id))]


def live(database: Database, count: int) -> None:
    with database.write() as connection:
        for pid in range(count):
            workers.register(connection, node="node", host="host", pid=pid, model=MODEL)


def test_what_waits_comes_along_each_with_a_claim_of_its_own(database: Database, submission: Submission) -> None:
    job_ids = submit(database, submission, 5)
    taken = claim(database, job_ids[0])
    assert [job.id for job in taken] == job_ids, "the oldest first"
    assert {(job.state, job.attempt, job.owner) for job in taken} == {(State.RUNNING, 1, OWNER)}
    assert len({job.lease_token for job in taken}) == 5
    for job in taken:
        assert job.lease_until is not None and job.started_at is not None
        assert 25 < (job.lease_until - job.started_at).total_seconds() < 31
        assert events(database, job.id) == [trail.Event.SUBMITTED, trail.Event.CLAIMED]
        assert replace(job, others_wait=False) == found(database, job.id)


def test_a_lone_job_asks_for_no_company(database: Database, submission: Submission) -> None:
    (job_id,) = submit(database, submission)
    (job,) = claim(database, job_id)
    assert not job.others_wait


def test_so_many_come_along_and_no_more(database: Database, submission: Submission) -> None:
    job_ids = submit(database, submission, company.MOST + 3)
    assert [job.id for job in claim(database, job_ids[0])] == job_ids[: company.MOST]


@pytest.mark.parametrize(("children", "taken"), [(1, 6), (2, 3), (5, 2), (6, 1)])
def test_every_child_that_lives_has_its_share(
    database: Database, submission: Submission, children: int, taken: int
) -> None:
    live(database, children)
    job_ids = submit(database, submission, 6)
    assert len(claim(database, job_ids[0])) == taken


@pytest.mark.parametrize(
    "other",
    [
        {"options": {"layout": "page"}},
        {"options": {"layout": "line", "model": "m"}},
        {"options": {"layout": "line", "quality": "best"}},
        {"priority": "bulk"},
        {"page_count": 2},
        {"width": 5000, "height": 5000},
        {"media_type": "application/pdf"},
    ],
    ids=str,
)
def test_who_is_not_alike_stays_where_he_is(database: Database, submission: Submission, other: dict[str, Any]) -> None:
    (first,) = submit(database, submission)
    submit(database, replace(submission, **other), 3)
    (like,) = submit(database, submission)
    assert [job.id for job in claim(database, first)] == [first, like]


@pytest.mark.parametrize(
    "first",
    [
        {"options": {"layout": "page"}},
        {"options": {}},
        {"page_count": 2},
        {"width": 5000, "height": 5000},
        {"media_type": "application/pdf"},
    ],
    ids=str,
)
def test_what_is_not_small_is_read_alone(database: Database, submission: Submission, first: dict[str, Any]) -> None:
    job_ids = submit(database, replace(submission, **first), 3)
    assert [job.id for job in claim(database, job_ids[0])] == job_ids[:1]


@pytest.mark.parametrize(
    "noted",
    [
        {"attempt": 1},
        {"max_attempts": 1},
        {"not_before": database_now(60)},
    ],
    ids=" ".join,
)
def test_who_may_not_have_company_waits_for_his_own_message(
    database: Database, submission: Submission, noted: dict[str, Any]
) -> None:
    first, second, third = submit(database, submission, 3)
    with database.write() as connection:
        connection.execute(update(table).where(table.c.id == second).values(noted))
    assert [job.id for job in claim(database, first)] == [first, third]


@pytest.mark.parametrize("milliseconds", [-3_600_000, 3_600_000])
def test_who_was_submitted_long_before_or_after_waits_for_his_own_message(
    database: Database, submission: Submission, milliseconds: int
) -> None:
    first, second, third = submit(database, submission, 3)
    far = ids.moved(second, milliseconds)
    with database.write() as connection:
        connection.execute(update(table).where(table.c.id == second).values(id=far))
    assert [job.id for job in claim(database, first)] == [first, third]


def test_who_was_not_published_comes_along_all_the_same(database: Database, submission: Submission) -> None:
    first, second = submit(database, submission, 2)
    with database.write() as connection:
        connection.execute(update(table).where(table.c.id == second).values(published_at=None))
    assert [job.id for job in claim(database, first)] == [first, second]


@pytest.mark.parametrize(("children", "taken"), [(1, company.MOST), (2, 5), (5, 2), (20, 1)])
def test_what_is_left_over_is_taken_afterwards(
    database: Database, submission: Submission, children: int, taken: int
) -> None:
    live(database, children)
    first, *others = submit(database, submission, 10)
    with database.write() as connection:
        job = jobs.claim(connection, first, owner=OWNER, lease_seconds=30)
        assert job is not None
        more = jobs.claim_like(connection, job, lease_seconds=30, is_first=False)
    assert [job.id for job in more] == others[:taken]


@pytest.mark.parametrize(
    "noted",
    [{"attempt": 1}, {"max_attempts": 1}, {"options_sha256": None}, {"promoted_at": database_now()}],
    ids=" ".join,
)
def test_who_is_claimed_again_or_out_of_turn_has_no_company(
    database: Database, submission: Submission, noted: dict[str, Any]
) -> None:
    job_ids = submit(database, submission, 3)
    with database.write() as connection:
        connection.execute(update(table).where(table.c.id == job_ids[0]).values(noted))
    assert [job.id for job in claim(database, job_ids[0])] == job_ids[:1]


def test_a_job_that_was_taken_in_company_is_nobodys_else(database: Database, submission: Submission) -> None:
    job_ids = submit(database, submission, 3)
    claim(database, job_ids[0])
    with database.write() as connection:
        for job_id in job_ids:
            assert jobs.claim(connection, job_id, owner="node/other", lease_seconds=30) is None
    assert {found(database, job_id).owner for job_id in job_ids} == {OWNER}


def test_of_many_children_that_claim_at_once_each_job_has_one(database: Database, submission: Submission) -> None:
    job_ids = submit(database, submission, 60)
    live(database, 4)
    barrier = Barrier(4)

    def child(number: int) -> list[str]:
        barrier.wait()
        won = []
        for job_id in job_ids[number::4]:
            with database.write() as connection:
                first = jobs.claim(connection, job_id, owner=f"node/{number}", lease_seconds=30)
                if first is None:
                    continue
                others = jobs.claim_like(connection, first, lease_seconds=30) if jobs.is_sociable(first) else []
                won += [first.id, *(job.id for job in others)]
        return won

    with ThreadPoolExecutor(4) as pool:
        won = [job_id for each in pool.map(child, range(4)) for job_id in each]
    assert Counter(won) == Counter(job_ids)
    with database.read() as connection:
        assert {job.attempt for job in jobs.list_jobs(connection, limit=100)} == {1}


def test_each_of_a_company_ends_for_itself(database: Database, submission: Submission) -> None:
    done, broken, cancelled = claim(database, submit(database, submission, 3)[0])
    with database.write() as connection:
        assert jobs.cancel(connection, cancelled.id, actor=CLIENT) is not None
    with database.write() as connection:
        assert jobs.succeed(connection, done.id, str(done.lease_token), result=RESULT, timings_ms={})
        assert jobs.fail(connection, broken.id, str(broken.lease_token), error=errors.CorruptImage())
        assert not jobs.succeed(connection, cancelled.id, str(cancelled.lease_token), result=RESULT, timings_ms={})
        assert not jobs.succeed(connection, cancelled.id, str(done.lease_token), result=RESULT, timings_ms={})
    states = [found(database, job.id).state for job in (done, broken, cancelled)]
    assert states == [State.SUCCEEDED, State.FAILED, State.CANCELLED]


@pytest.mark.parametrize("reason", ["crash", jobs.TIME_LIMIT])
def test_after_the_death_of_its_child_each_is_tried_again_alone(
    database: Database, submission: Submission, reason: Any
) -> None:
    job_ids = submit(database, submission, 3)
    claim(database, job_ids[0])
    with database.write() as connection:
        assert sorted(jobs.release(connection, owner=OWNER, reason=reason)) == job_ids
    for job_id in job_ids:
        (job,) = claim(database, job_id, owner="node/other")
        assert (job.attempt, job.state) == (2, State.RUNNING)


def test_a_job_that_is_over_its_time_without_company_fails(database: Database, submission: Submission) -> None:
    (job_id,) = submit(database, submission)
    claim(database, job_id)
    with database.write() as connection:
        assert jobs.release(connection, owner=OWNER, reason=jobs.TIME_LIMIT) == [job_id]
    assert (found(database, job_id).error or {})["code"] == errors.TimeLimitExceeded.code


def test_leases_of_a_company_run_out_one_by_one(database: Database, submission: Submission) -> None:
    first, second = claim(database, submit(database, submission, 2)[0])
    with database.write() as connection:
        assert jobs.heartbeat(connection, first.id, str(first.lease_token), lease_seconds=60)
        late = update(table).where(table.c.id == second.id).values(lease_until=database_now(-1))
        connection.execute(late)
        assert jobs.expire(connection) == [second.id]
    assert found(database, first.id).state == State.RUNNING
    assert found(database, second.id).state == State.QUEUED
