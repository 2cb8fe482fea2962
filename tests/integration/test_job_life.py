"""The life of a job, on SQLite and PostgreSQL alike: each transition, and each that is refused."""

from __future__ import annotations

import functools
import operator
from dataclasses import replace

import pytest

from shared import errors, jobs
from shared.audit import trail
from shared.database import Database
from shared.jobs import Job, State, Submission

RESULT = {
    "text": "发票 No. 7",
    "confidence": 0.9,
    "min_confidence": 0.8,
    "model": {"name": "crnn", "version": "2", "sha256": "cd" * 32},
    "pages": [],
}
WORKER = "node/task-1"


def submit(database: Database, submission: Submission, *, max_attempts: int = 4) -> Job:
    with database.write() as connection:
        return jobs.submit(connection, submission, max_attempts=max_attempts)


def claim(database: Database, job_id: str, *, owner: str = WORKER, lease_seconds: float = 30) -> Job | None:
    with database.write() as connection:
        return jobs.claim(connection, job_id, owner=owner, lease_seconds=lease_seconds)


def claimed(database: Database, submission: Submission, *, max_attempts: int = 4, lease_seconds: float = 30) -> Job:
    job = claim(database, submit(database, submission, max_attempts=max_attempts).id, lease_seconds=lease_seconds)
    assert job is not None
    return job


def succeed(database: Database, job: Job) -> bool:
    with database.write() as connection:
        return jobs.succeed(connection, job.id, str(job.lease_token), result=RESULT, timings_ms={"total": 1.5})


def fail(database: Database, job: Job, error: errors.OcrelayError) -> bool:
    with database.write() as connection:
        return jobs.fail(connection, job.id, str(job.lease_token), error=error)


def heartbeat(database: Database, job: Job, *, lease_seconds: float = 30) -> bool:
    with database.write() as connection:
        return jobs.heartbeat(connection, job.id, str(job.lease_token), lease_seconds=lease_seconds)


def expire(database: Database) -> list[str]:
    with database.write() as connection:
        return jobs.expire(connection)


def found(database: Database, job: Job) -> Job:
    with database.read() as connection:
        again = jobs.get(connection, job.id)
    assert again is not None
    return again


def events(database: Database, job: Job) -> list[str]:
    with database.read() as connection:
        return [event.event for event in reversed(trail.list_events(connection, job_id=job.id))]


def test_a_submitted_job_is_queued_with_everything_it_came_with(database: Database, submission: Submission) -> None:
    job = submit(database, replace(submission, priority="high", options={"layout": "page", "profile": "发票"}))
    again = found(database, job)
    assert (again.state, again.attempt, again.max_attempts) == (State.QUEUED, 0, 4)
    assert (again.reference, again.priority, again.client_ip) == ("invoice 7", "high", "127.0.0.1")
    assert again.options == {"layout": "page", "profile": "发票"}
    assert again.published_at is not None
    assert again.publish_count == 1
    assert again.created_at.tzinfo is not None
    assert events(database, job) == [trail.Event.SUBMITTED]


def test_a_claim_counts_the_attempt_and_holds_a_lease(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert (job.state, job.attempt, job.owner) == (State.RUNNING, 1, WORKER)
    assert job.started_at is not None
    assert job.lease_until is not None
    assert 25 < (job.lease_until - job.started_at).total_seconds() < 31
    assert events(database, job) == [trail.Event.SUBMITTED, trail.Event.CLAIMED]


def test_claim_returns_none_when_another_worker_was_faster(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert claim(database, job.id, owner="node/task-2") is None
    assert found(database, job).owner == WORKER


def test_claim_returns_none_for_a_job_that_does_not_exist(database: Database) -> None:
    assert claim(database, "job_00000000000000000000000000") is None


def test_claim_returns_none_before_a_retry_is_due(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert fail(database, job, errors.RecognitionFailed())
    assert claim(database, job.id) is None


def test_claim_takes_over_a_job_whose_lease_has_run_out(database: Database, submission: Submission) -> None:
    first = claimed(database, submission, lease_seconds=-1)
    second = claim(database, first.id, owner="node/task-2")
    assert second is not None
    assert (second.attempt, second.owner) == (2, "node/task-2")
    assert second.lease_token != first.lease_token


def test_a_success_stores_the_result_the_times_and_one_audit_event(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert succeed(database, job)
    again = found(database, job)
    assert (again.state, again.result, again.timings_ms) == (State.SUCCEEDED, RESULT, {"total": 1.5})
    assert again.finished_at is not None
    assert (again.lease_token, again.lease_until, again.error) == (None, None, None)
    with database.read() as connection:
        event = trail.list_events(connection, job_id=job.id, limit=1)[0]
    assert (event.event, event.outcome, event.actor, event.attempt) == (trail.Event.SUCCEEDED, "succeeded", WORKER, 1)
    assert (event.confidence, event.min_confidence) == (0.9, 0.8)
    assert (event.model, event.model_version, event.model_sha256) == ("crnn", "2", "cd" * 32)
    assert (event.client_ip, event.sha256) == ("127.0.0.1", submission.sha256)


def test_a_late_success_of_a_worker_that_lost_its_lease_is_refused(database: Database, submission: Submission) -> None:
    zombie = claimed(database, submission, lease_seconds=-1)
    current = claim(database, zombie.id, owner="node/task-2")
    assert current is not None
    assert not succeed(database, zombie)
    assert found(database, zombie).result is None
    assert succeed(database, current)
    assert events(database, zombie).count(trail.Event.SUCCEEDED) == 1


def test_a_job_does_not_succeed_twice(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert succeed(database, job)
    assert not succeed(database, job)
    assert events(database, job).count(trail.Event.SUCCEEDED) == 1


def test_nothing_moves_a_job_that_has_succeeded(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert succeed(database, job)
    assert claim(database, job.id) is None
    assert not fail(database, job, errors.CorruptImage())
    assert not heartbeat(database, job)
    with database.write() as connection:
        assert jobs.release(connection, owner=WORKER, reason="crash") == []
    assert found(database, job).state == State.SUCCEEDED


def test_a_job_that_waits_cannot_be_finished(database: Database, submission: Submission) -> None:
    job = replace(submit(database, submission), lease_token="00")
    assert not succeed(database, job)
    assert not fail(database, job, errors.CorruptImage())
    assert not heartbeat(database, job)
    assert found(database, job).state == State.QUEUED


def test_a_result_is_rolled_back_together_with_its_state(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    with pytest.raises(RuntimeError), database.write() as connection:
        assert jobs.succeed(connection, job.id, str(job.lease_token), result=RESULT, timings_ms={})
        raise RuntimeError
    again = found(database, job)
    assert (again.state, again.result) == (State.RUNNING, None)
    assert events(database, job) == [trail.Event.SUBMITTED, trail.Event.CLAIMED]


def test_an_error_of_the_document_ends_the_job_at_once(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert fail(database, job, errors.TruncatedImage(page_number=1))
    again = found(database, job)
    assert (again.state, again.attempt) == (State.FAILED, 1)
    assert again.error is not None
    assert again.error["code"] == "truncated_image"
    assert again.error["details"] == {"page_number": 1}
    assert events(database, job)[-1] == trail.Event.FAILED


def test_a_passing_error_is_tried_again_after_a_pause(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert fail(database, job, errors.RecognitionFailed())
    again = found(database, job)
    assert (again.state, again.attempt, again.published_at) == (State.QUEUED, 1, None)
    assert again.not_before is not None
    assert again.not_before > again.created_at
    assert again.error is not None
    assert again.error["code"] == "recognition_failed"
    assert events(database, job)[-1] == trail.Event.RETRIED


def test_a_passing_error_at_the_last_attempt_ends_the_job(database: Database, submission: Submission) -> None:
    job = claimed(database, submission, max_attempts=1)
    assert fail(database, job, errors.RecognitionFailed())
    again = found(database, job)
    assert again.state == State.FAILED
    assert again.error is not None
    assert again.error["code"] == "recognition_failed"
    assert events(database, job)[-1] == trail.Event.FAILED


def test_a_heartbeat_extends_the_lease(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert heartbeat(database, job, lease_seconds=300)
    again = found(database, job)
    assert again.lease_until is not None
    assert job.lease_until is not None
    assert (again.lease_until - job.lease_until).total_seconds() > 200


def test_a_heartbeat_of_a_lost_lease_is_refused(database: Database, submission: Submission) -> None:
    zombie = claimed(database, submission, lease_seconds=-1)
    assert claim(database, zombie.id, owner="node/task-2") is not None
    assert not heartbeat(database, zombie)


def test_a_lease_that_has_run_out_is_taken_back(database: Database, submission: Submission) -> None:
    job = claimed(database, submission, lease_seconds=-1)
    with database.read() as connection:
        assert jobs.has_expired(connection)
    assert expire(database) == [job.id]
    again = found(database, job)
    assert (again.state, again.attempt, again.published_at, again.lease_token) == (State.QUEUED, 1, None, None)
    assert events(database, job)[-1] == trail.Event.EXPIRED
    assert expire(database) == []


def test_a_lease_that_still_runs_is_left_alone(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    with database.read() as connection:
        assert not jobs.has_expired(connection)
    assert expire(database) == []
    assert found(database, job).state == State.RUNNING


def test_a_job_that_is_abandoned_at_every_attempt_ends_as_poison(database: Database, submission: Submission) -> None:
    job = submit(database, submission, max_attempts=3)
    for _ in range(3):
        assert claim(database, job.id, lease_seconds=-1) is not None
        assert expire(database) == [job.id]
    again = found(database, job)
    assert (again.state, again.attempt) == (State.FAILED, 3)
    assert again.error is not None
    assert again.error["code"] == "poison_job"
    assert claim(database, job.id) is None
    assert events(database, job)[-2:] == [trail.Event.CLAIMED, trail.Event.FAILED]


def test_a_crash_gives_back_what_the_task_held_and_counts_the_attempt(
    database: Database, submission: Submission
) -> None:
    job, other = claimed(database, submission), submit(database, submission)
    assert claim(database, other.id, owner="node/task-2") is not None
    with database.write() as connection:
        assert jobs.release(connection, owner=WORKER, reason="crash") == [job.id]
        assert jobs.release(connection, owner=WORKER, reason="crash") == []
    assert (found(database, job).state, found(database, job).attempt) == (State.QUEUED, 1)
    assert found(database, other).state == State.RUNNING
    assert events(database, job)[-1] == trail.Event.RELEASED


def test_a_crash_at_the_last_attempt_ends_as_poison(database: Database, submission: Submission) -> None:
    job = claimed(database, submission, max_attempts=1)
    with database.write() as connection:
        assert jobs.release(connection, owner=WORKER, reason="crash") == [job.id]
    again = found(database, job)
    assert again.state == State.FAILED
    assert again.error is not None
    assert again.error["code"] == "poison_job"


def test_an_orderly_shutdown_gives_the_attempt_back(database: Database, submission: Submission) -> None:
    job = claimed(database, submission, max_attempts=1)
    with database.write() as connection:
        assert jobs.release(connection, owner=WORKER, reason="shutdown") == [job.id]
    again = found(database, job)
    assert (again.state, again.attempt) == (State.QUEUED, 0)
    assert claim(database, job.id) is not None


def test_a_node_gives_back_its_own_jobs_only(database: Database, submission: Submission) -> None:
    owners = ["a_b/1", "a_b/2", "a_bc/1", "axb/1"]
    mine = [submit(database, submission) for _ in owners]
    for job, owner in zip(mine, owners, strict=True):
        assert claim(database, job.id, owner=owner) is not None
    with database.write() as connection:
        released = jobs.release_node(connection, node="a_b", reason="crash")
    assert sorted(released) == sorted([mine[0].id, mine[1].id])


def test_only_waiting_jobs_have_a_place_in_the_queue(database: Database, submission: Submission) -> None:
    first, second = submit(database, submission), submit(database, submission)
    urgent = submit(database, replace(submission, priority="high"))
    earlier, later = sorted([first, second], key=lambda job: job.id)
    places = [found(database, job).queue_position for job in (urgent, earlier, later)]
    assert places == [1, 2, 3]
    assert claim(database, urgent.id) is not None
    assert [found(database, job).queue_position for job in (urgent, earlier, later)] == [None, 1, 2]


def test_counts_name_every_state(database: Database, submission: Submission) -> None:
    submit(database, submission)
    assert succeed(database, claimed(database, submission))
    with database.read() as connection:
        assert jobs.counts(connection) == {"queued": 1, "running": 0, "succeeded": 1, "failed": 0, "cancelled": 0}
        assert jobs.backlog(connection) == 1


def test_a_list_is_filtered_and_paged_without_gaps(database: Database, submission: Submission) -> None:
    mine = [submit(database, replace(submission, reference="mine")).id for _ in range(5)]
    submit(database, replace(submission, reference="yours"))
    pages, before = [], None
    while True:
        with database.read() as connection:
            page = jobs.list_jobs(connection, reference="mine", limit=2, before=before)
        if not page:
            break
        pages.append([job.id for job in page])
        before = page[-1].id
    assert [len(page) for page in pages] == [2, 2, 1]
    assert functools.reduce(operator.iadd, pages, []) == sorted(mine, reverse=True)


def test_a_list_keeps_to_state_document_client_and_time(database: Database, submission: Submission) -> None:
    job = submit(database, replace(submission, sha256="ef" * 32, client_ip="10.0.0.9"))
    other = claimed(database, submission)
    with database.read() as connection:
        assert [j.id for j in jobs.list_jobs(connection, state="running")] == [other.id]
        assert [j.id for j in jobs.list_jobs(connection, sha256="ef" * 32)] == [job.id]
        assert [j.id for j in jobs.list_jobs(connection, client_ip="10.0.0.9")] == [job.id]
        assert jobs.list_jobs(connection, created_until=job.created_at) == []
        assert len(jobs.list_jobs(connection, created_from=job.created_at)) == 2


def test_a_job_costs_three_write_transactions(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert succeed(database, job)
    assert found(database, job).published_at is not None, "publishing must not need a fourth one"


def test_a_job_that_ran_out_of_time_fails_at_once_and_says_so(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    with database.write() as connection:
        assert jobs.release(connection, owner=WORKER, reason=jobs.TIME_LIMIT) == [job.id]
        ended = jobs.get(connection, job.id)
    assert ended is not None and ended.error is not None
    assert (ended.state, ended.error["code"]) == (State.FAILED, "time_limit_exceeded")
