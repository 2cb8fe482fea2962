"""Each move between states that the table allows, and each one that it does not, on both databases."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, update

from shared import errors, jobs
from shared.audit import trail
from shared.database import Database, database_now
from shared.jobs import Job, State, Submission
from shared.jobs import states as job_states
from shared.jobs.moves import move
from shared.tables import jobs as table
from tests.actors import CLIENT

OWNER = "node/task"
MODEL = {"name": "m", "version": "1", "sha256": "cd" * 32}
RESULT = {"text": "x", "confidence": 1.0, "min_confidence": 1.0, "model": MODEL, "pages": []}
Order = Callable[[Connection, Job], object]


def token(job: Job) -> str:
    return job.lease_token or "0" * 32


ORDERS: dict[str, Order] = {
    "claim": lambda c, job: jobs.claim(c, job.id, owner=OWNER, lease_seconds=30),
    "succeed": lambda c, job: jobs.succeed(c, job.id, token(job), result=RESULT, timings_ms={}),
    "fail": lambda c, job: jobs.fail(c, job.id, token(job), error=errors.CorruptImage()),
    "fail for now": lambda c, job: jobs.fail(c, job.id, token(job), error=errors.RecognitionFailed()),
    "release": lambda c, job: jobs.release(c, owner=OWNER, reason="crash"),
    "release at the end": lambda c, job: jobs.release(c, owner=OWNER, reason=jobs.TIME_LIMIT),
    "expire": lambda c, job: jobs.expire(c),
    "lapse": lambda c, job: jobs.lapse(c),
    "cancel": lambda c, job: jobs.cancel(c, job.id, actor=CLIENT),
    "retry": lambda c, job: jobs.retry(c, job.id, attempts=4, is_published=True, actor=CLIENT),
    "erase": lambda c, job: jobs.erase(c, job.id, actor=CLIENT),
}
ALLOWED: dict[tuple[str, str], State | None] = {
    ("queued", "claim"): State.RUNNING,
    ("queued", "cancel"): State.CANCELLED,
    ("queued", "lapse"): State.FAILED,
    ("running", "succeed"): State.SUCCEEDED,
    ("running", "fail"): State.FAILED,
    ("running", "fail for now"): State.QUEUED,
    ("running", "release"): State.QUEUED,
    ("running", "release at the end"): State.FAILED,
    ("running", "cancel"): State.CANCELLED,
    ("running", "lapse"): State.FAILED,
    ("abandoned", "claim"): State.RUNNING,
    ("abandoned", "succeed"): State.SUCCEEDED,  # late, but nobody else has taken it
    ("abandoned", "fail"): State.FAILED,
    ("abandoned", "fail for now"): State.QUEUED,
    ("abandoned", "release"): State.QUEUED,
    ("abandoned", "release at the end"): State.FAILED,
    ("abandoned", "expire"): State.QUEUED,
    ("abandoned", "cancel"): State.CANCELLED,
    ("abandoned", "lapse"): State.FAILED,
    ("at its last attempt", "succeed"): State.SUCCEEDED,
    ("at its last attempt", "fail"): State.FAILED,
    ("at its last attempt", "fail for now"): State.FAILED,
    ("at its last attempt", "release"): State.FAILED,
    ("at its last attempt", "release at the end"): State.FAILED,
    ("at its last attempt", "expire"): State.FAILED,
    ("at its last attempt", "cancel"): State.CANCELLED,
    ("at its last attempt", "lapse"): State.FAILED,
    ("failed", "retry"): State.QUEUED,
    ("cancelled", "retry"): State.QUEUED,
    ("succeeded", "erase"): None,
    ("failed", "erase"): None,
    ("cancelled", "erase"): None,
}
SITUATIONS = ("queued", "running", "abandoned", "at its last attempt", "succeeded", "failed", "cancelled")


def prepare(connection: Connection, submission: Submission, situation: str) -> Job:
    submission = dataclasses.replace(submission, deadline_seconds=-1)  # only the sweeper asks for it
    job = jobs.submit(connection, submission, max_attempts=1 if situation == "at its last attempt" else 4)
    if situation == "cancelled":
        jobs.cancel(connection, job.id, actor=CLIENT)
    elif situation != "queued":
        lease_seconds = -1 if situation in ("abandoned", "at its last attempt") else 30
        claimed = jobs.claim(connection, job.id, owner=OWNER, lease_seconds=lease_seconds)
        assert claimed is not None
        job = claimed
    if situation == "succeeded":
        assert ORDERS["succeed"](connection, job)
    if situation == "failed":
        assert ORDERS["fail"](connection, job)
    return job


@pytest.mark.parametrize("order", ORDERS)
def test_a_move_happens_where_the_table_allows_it_and_changes_nothing_elsewhere(
    database: Database, submission: Submission, order: str
) -> None:
    for situation in SITUATIONS:
        with database.write() as connection:
            connection.execute(table.delete())  # the orders that name no job would find those of earlier situations
            job = prepare(connection, submission, situation)
        with database.read() as connection:
            before, old = jobs.get(connection, job.id), trail.list_events(connection, job_id=job.id)
        assert before is not None
        with database.write() as connection:
            outcome = ORDERS[order](connection, job)
        with database.read() as connection:
            after, events = jobs.get(connection, job.id), trail.list_events(connection, job_id=job.id)
        if (situation, order) not in ALLOWED:
            assert not outcome, (situation, order)
            assert (after, events) == (before, old), (situation, order)
            continue
        target = ALLOWED[situation, order]
        assert outcome, (situation, order)
        assert (after.state if after else None) == target, (situation, order)
        name = order.split(maxsplit=1)[0]
        new = events[: len(events) - len(old)]
        moves = [m for m in job_states.MOVES if (m.name, m.source, m.target) == (name, before.state, target)]
        assert [event.event for event in new] == [m.event for m in moves], (situation, order)


def test_the_tests_above_go_through_every_move_of_the_table() -> None:
    states = {"abandoned": State.RUNNING, "at its last attempt": State.RUNNING}
    tried = {
        (order.split()[0], states.get(situation, situation), target) for (situation, order), target in ALLOWED.items()
    }
    assert tried == {(m.name, m.source, m.target) for m in job_states.MOVES if m.source is not None}


def test_a_move_that_is_not_in_the_table_cannot_be_written_at_all(database: Database) -> None:
    allowed = {(m.name, m.target) for m in job_states.MOVES if m.source}
    for name, target in set(itertools.product([m.name for m in job_states.MOVES], State)) - allowed:
        with database.write() as connection, pytest.raises(ValueError, match="no move"):
            move(connection, name, target, table.c.id == "job_1")


def test_a_retry_that_waits_is_not_claimed_before_its_time(database: Database, submission: Submission) -> None:
    with database.write() as connection:
        job = jobs.submit(connection, submission, max_attempts=4)
        connection.execute(update(table).values(not_before=database_now(60)))
        assert jobs.claim(connection, job.id, owner=OWNER, lease_seconds=30) is None
        assert jobs.cancel(connection, job.id, actor=CLIENT) is not None
        retried = jobs.retry(connection, job.id, attempts=2, is_published=True, actor=CLIENT)
        assert retried is not None and retried.not_before is None
        assert jobs.claim(connection, job.id, owner=OWNER, lease_seconds=30) is not None
