"""Pages of a job that is under way, on SQLite and PostgreSQL alike: stored under the lease alone, put together."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from shared import jobs
from shared.audit import trail
from shared.database import Database
from shared.jobs import Job, State, Submission, pages
from shared.result import STAGES, Character, DocumentResult, Line, ModelName, Page, Word, as_polygon
from shared.tables import pages as table
from tests.actors import CLIENT

MODEL = ModelName("crnn", "2", "cd" * 32)
READER = "ef" * 32
BOX = as_polygon([(0, 0), (8, 0), (8, 4), (0, 4)])


def page(number: int, *words: str, confidence: float = 0.9) -> Page:
    lines = tuple(
        Line(word, word, BOX, tuple(Character(c, confidence, 0, 1) for c in word), (Word(word, confidence, BOX),))
        for word in words
    )
    return Page(number, 8, 4, 0.0, {"width": 8.0, "blur": None}, lines)


def claimed(database: Database, submission: Submission) -> Job:
    with database.write() as connection:
        job = jobs.submit(connection, replace(submission, page_count=3), max_attempts=4)
        found = jobs.claim(connection, job.id, owner="node/task", lease_seconds=30)
    assert found is not None
    return found


def store(database: Database, job: Job, one: Page, reader: str | None = READER) -> bool:
    with database.write() as connection:
        timings_ms = dict.fromkeys(STAGES, 1.25)
        return pages.store(connection, job.id, str(job.lease_token), one, timings_ms=timings_ms, reader_sha256=reader)


def found(database: Database, job: Job) -> Job:
    with database.read() as connection:
        again = jobs.get(connection, job.id)
    assert again is not None
    return again


def stored(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def finish(database: Database, job: Job) -> bool:
    with database.read() as connection:
        whole = pages.assemble(connection, job.id, MODEL)
    with database.write() as connection:
        return jobs.succeed(
            connection, job.id, str(job.lease_token), result=whole, timings_ms=whole.timings_ms, reader_sha256=READER
        )


def test_pages_put_together_are_the_result_that_all_at_once_would_be(
    database: Database, submission: Submission
) -> None:
    job = claimed(database, submission)
    read = [page(1, "发票", "No. 7", confidence=0.75), page(2), page(3, 'a "quoted" \\ one\n', confidence=0.5)]
    assert [store(database, job, one) for one in read] == [True] * 3
    assert found(database, job).pages_done == 3
    assert finish(database, job)
    ended = found(database, job)
    assert (ended.state, ended.pages_done, ended.pages_total) == (State.SUCCEEDED, 3, 3)
    assert ended.result == DocumentResult(MODEL, tuple(read)).to_json()
    assert ended.timings_ms == dict.fromkeys(STAGES, 3.75)
    assert stored(database) == 0, "the result has them"
    with database.read() as connection:
        event = trail.list_events(connection, job_id=job.id)[0]
    assert (event.event, event.model, event.min_confidence) == (trail.Event.SUCCEEDED, "crnn", 0.5)


def test_who_read_some_lines_again_is_named_where_anybody_did(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    both = replace(page(2, "b"), lines=(replace(page(2, "b").lines[0], model="strong"),))
    assert store(database, job, page(1, 'a "model": b'))
    strong = ModelName("strong", "1", "ab" * 32)
    with database.read() as connection:
        alone = pages.assemble(connection, job.id, MODEL, stronger=lambda: strong)
    assert "stronger_model" not in alone.summary and "stronger_model" not in json.loads(alone.document)
    assert store(database, job, both) and store(database, job, page(3))
    with database.read() as connection:
        whole = pages.assemble(connection, job.id, MODEL, stronger=lambda: strong)
    told = DocumentResult(MODEL, (page(1, 'a "model": b'), both, page(3)), stronger=strong).to_json()
    assert json.loads(whole.document) == {"version": 1, **told}


def test_a_document_without_text_has_no_confidence(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert all(store(database, job, page(number)) for number in (1, 2, 3))
    assert finish(database, job)
    result = found(database, job).result
    assert result is not None and (result["text"], result["confidence"], result["min_confidence"]) == ("", None, None)


def test_who_has_lost_the_lease_stores_nothing(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert store(database, job, page(1, "a"))
    with database.write() as connection:
        jobs.release(connection, owner="node/task", reason="crash")
    assert not store(database, job, page(2, "b"))
    with database.write() as connection:
        assert pages.resume(connection, job.id, str(job.lease_token), "another") is None
    assert (found(database, job).pages_done, stored(database)) == (1, 1)


def test_the_next_attempt_goes_on_after_what_is_done(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert store(database, job, page(1, "a")) and store(database, job, page(2, "b"))
    with database.write() as connection:
        jobs.release(connection, owner="node/task", reason="crash")
        again = jobs.claim(connection, job.id, owner="node/other", lease_seconds=30)
    assert again is not None and (again.attempt, again.pages_done) == (2, 2)
    with database.write() as connection:
        assert pages.resume(connection, again.id, str(again.lease_token), READER) == [1, 2]
    assert store(database, again, page(3, "c")) and finish(database, again)
    assert (found(database, job).result or {})["text"] == "a\n\nb\n\nc"


@pytest.mark.parametrize(("before", "now"), [(READER, "ab" * 32), (READER, None), (None, READER)])
def test_pages_of_another_reader_are_read_again(
    database: Database, submission: Submission, before: str | None, now: str | None
) -> None:
    job = claimed(database, submission)
    assert store(database, job, page(1, "a"), before) and store(database, job, page(2, "b"), now)
    with database.write() as connection:
        assert pages.resume(connection, job.id, str(job.lease_token), now) == [2]
    assert found(database, job).pages_done == 1


def test_a_job_that_is_cancelled_and_retried_keeps_its_pages_and_one_that_is_erased_does_not(
    database: Database, submission: Submission
) -> None:
    job = claimed(database, submission)
    assert store(database, job, page(1, "a"))
    with database.write() as connection:
        jobs.cancel(connection, job.id, actor=CLIENT)
        retried = jobs.retry(connection, job.id, attempts=1, is_published=False, actor=CLIENT)
    assert retried is not None and retried.pages_done == 1
    with database.write() as connection:
        jobs.cancel(connection, job.id, actor=CLIENT)
        jobs.erase(connection, job.id, actor=CLIENT)
    assert stored(database) == 0


def test_a_copy_has_as_many_pages_done_as_its_source(database: Database, submission: Submission) -> None:
    job = claimed(database, submission)
    assert all(store(database, job, page(number, "a")) for number in (1, 2, 3)) and finish(database, job)
    with database.write() as connection:
        copy = jobs.submit_copy(connection, replace(submission, page_count=3), job.id, max_attempts=4)
    assert copy is not None and (copy.pages_done, copy.result) == (3, found(database, job).result)


def test_only_the_chosen_pages_are_to_be_read(database: Database, submission: Submission) -> None:
    with database.write() as connection:
        job = jobs.submit(connection, replace(submission, page_count=9, options={"pages": "2-4,9"}), max_attempts=4)
    assert (job.pages_done, job.pages_total) == (0, 4)
