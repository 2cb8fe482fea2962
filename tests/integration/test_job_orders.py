"""Cancel, retry, erase and copies, on both databases."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select

from shared import errors, jobs
from shared.audit import trail
from shared.audit.trail import Event
from shared.database import Database
from shared.jobs import Job, State, Submission
from shared.tables import results
from tests.actors import CLIENT

MODEL = "cd" * 32
READER = "ef" * 32
RESULT = {
    "text": "发票",
    "confidence": 0.9,
    "min_confidence": 0.8,
    "model": {"name": "m", "version": "1", "sha256": MODEL},
    "pages": [],
}


def submit(database: Database, submission: Submission, *, max_attempts: int = 4) -> Job:
    with database.write() as connection:
        return jobs.submit(connection, submission, max_attempts=max_attempts)


def claim(database: Database, job: Job) -> Job:
    with database.write() as connection:
        claimed = jobs.claim(connection, job.id, owner="n/1", lease_seconds=30)
    assert claimed is not None
    return claimed


def finish(database: Database, job: Job) -> None:
    claimed = claim(database, job)
    with database.write() as connection:
        token = str(claimed.lease_token)
        assert jobs.succeed(connection, job.id, token, result=RESULT, timings_ms={}, reader_sha256=READER)


def fail(database: Database, job: Job, error: errors.OcrelayError) -> None:
    claimed = claim(database, job)
    with database.write() as connection:
        assert jobs.fail(connection, job.id, str(claimed.lease_token), error=error)


def equal(database: Database, submission: Submission, reader: str = READER) -> str | None:
    with database.read() as connection:
        return jobs.equal_success(
            connection,
            sha256=submission.sha256,
            options_sha256=submission.options_sha256,
            reader_sha256=reader,
            key_id=submission.key_id,
        )


def events(database: Database, job_id: str) -> list[str]:
    with database.read() as connection:
        return [event.event for event in reversed(trail.list_events(connection, job_id=job_id))]


def test_a_worker_whose_job_was_cancelled_can_store_nothing(database: Database, submission: Submission) -> None:
    job = claim(database, submit(database, submission))
    with database.write() as connection:
        assert jobs.cancel(connection, job.id, actor=CLIENT) is not None
        token = str(job.lease_token)
        assert not jobs.heartbeat(connection, job.id, token, lease_seconds=30)
        assert not jobs.succeed(connection, job.id, token, result=RESULT, timings_ms={})
        assert not jobs.is_held(connection, job.id, token)
        cancelled = jobs.get(connection, job.id)
    assert cancelled is not None and cancelled.finished_at is not None
    assert (cancelled.state, (cancelled.error or {})["code"], cancelled.result) == (
        State.CANCELLED,
        "job_cancelled",
        None,
    )


def test_a_retried_job_gets_new_attempts_and_keeps_their_count(database: Database, submission: Submission) -> None:
    job = submit(database, submission, max_attempts=1)
    fail(database, job, errors.CorruptImage())
    with database.write() as connection:
        again = jobs.retry(connection, job.id, attempts=2, is_published=True, actor=CLIENT)
    assert again is not None
    assert (again.state, again.attempt, again.max_attempts, again.error) == (State.QUEUED, 1, 3, None)
    assert (again.finished_at, again.publish_count) == (None, 1)
    second = claim(database, job)
    assert second.attempt == 2
    assert events(database, job.id)[-2:] == [Event.REQUEUED, Event.CLAIMED]


def test_failed_jobs_are_found_by_code_reference_and_batch(database: Database, submission: Submission) -> None:
    mine = [submit(database, replace(submission, reference="mine", batch_id=f"bat_{n}")) for n in range(2)]
    other = submit(database, replace(submission, reference="other"))
    for job in (*mine, other):
        fail(database, job, errors.TruncatedImage() if job is mine[0] else errors.CorruptImage())

    def found(**which: str) -> set[str]:
        with database.read() as connection:
            return {job.id for job in jobs.failed(connection, jobs.Failed(**which), limit=10)}

    assert found() == {job.id for job in (*mine, other)}
    assert found(code="truncated_image") == {mine[0].id}
    assert found(code="corrupt_image", reference="mine") == {mine[1].id}
    assert found(batch_id="bat_0") == {mine[0].id}
    assert found(code="nonsense") == set()


def test_an_erased_job_leaves_nothing_but_its_trail(database: Database, submission: Submission) -> None:
    job = submit(database, submission)
    finish(database, job)
    with database.write() as connection:
        assert jobs.erase(connection, job.id, actor=CLIENT) is not None
        assert jobs.erase(connection, job.id, actor=CLIENT) is None
    with database.read() as connection:
        assert jobs.get(connection, job.id) is None
        assert connection.execute(select(func.count()).select_from(results)).scalar_one() == 0
        assert trail.has_event(connection, job.id, Event.DELETED)
    assert events(database, job.id) == [
        Event.SUBMITTED,
        Event.CLAIMED,
        Event.SUCCEEDED,
        Event.DELETED,
    ]


def test_an_open_job_is_not_erased_before_it_is_cancelled(database: Database, submission: Submission) -> None:
    job = claim(database, submit(database, submission))
    with database.write() as connection:
        assert jobs.erase(connection, job.id, actor=CLIENT) is None
        assert jobs.cancel(connection, job.id, actor=CLIENT) is not None
        assert jobs.erase(connection, job.id, actor=CLIENT) is not None


def test_an_equal_job_is_one_with_the_same_bytes_options_and_model(database: Database, submission: Submission) -> None:
    assert equal(database, submission) is None
    first = submit(database, submission)
    assert equal(database, submission) is None, "it is not read yet"
    finish(database, first)
    assert equal(database, submission) == first.id
    assert equal(database, replace(submission, reference="else", priority="high", client_ip=None)) == first.id
    assert equal(database, replace(submission, sha256="ef" * 32)) is None
    assert equal(database, replace(submission, options={"layout": "page"})) is None
    assert equal(database, submission, reader="00" * 32) is None
    assert equal(database, replace(submission, key_id="key_another")) is None


def test_a_copy_is_a_job_of_its_own_that_survives_its_source(database: Database, submission: Submission) -> None:
    first = submit(database, submission)
    finish(database, first)
    with database.write() as connection:
        copy = jobs.submit_copy(connection, replace(submission, reference="2"), first.id, max_attempts=4)
        assert copy is not None
        jobs.erase(connection, first.id, actor=CLIENT)
        again = jobs.get(connection, copy.id)
    assert again is not None
    assert (again.state, again.attempt, again.copied_from, again.reference) == (State.SUCCEEDED, 0, first.id, "2")
    assert again.result == RESULT
    assert events(database, copy.id) == [Event.SUBMITTED, Event.SUCCEEDED]
    with database.read() as connection:
        event = trail.list_events(connection, job_id=copy.id, limit=1)[0]
    assert (event.actor, event.confidence, event.model_sha256) == (first.id, 0.9, MODEL)


def test_nothing_is_copied_from_a_job_that_was_erased(database: Database, submission: Submission) -> None:
    with database.write() as connection:
        assert jobs.submit_copy(connection, submission, "job_gone", max_attempts=4) is None
        assert jobs.list_jobs(connection) == []
