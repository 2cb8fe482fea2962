"""What has reached its age is deleted, and what is needed stays, on both databases."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, update

from shared import clock, errors, jobs, tables, workers
from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import Database, database_now
from shared.jobs import Job, Submission, batches, idempotency
from shared.jobs.idempotency import Key
from shared.uploads.blobs import Blobs
from tests.actors import CLIENT
from worker.sweep import tidy
from worker.sweep.tidy import Ages, Tidy

HOUR = 3600.0
DAY = 24 * HOUR


@pytest.fixture
def blobs(database: Database, tmp_path: Path) -> Blobs:
    with database.write() as connection:  # a database that is a year old
        trail.record(connection, event="test", actor=Actor("worker", "test"))
        connection.execute(update(tables.audit_events).values(occurred_at=database_now(-365 * DAY)))
        connection.execute(update(tables.audit_chain).values(born_at=database_now(-365 * DAY)))
    return Blobs(tmp_path / "blobs")


def put(blobs: Blobs, content: bytes, *, age_seconds: float = 2 * HOUR) -> str:
    sha256 = blobs.put(content)
    long_ago = clock.now().timestamp() - age_seconds
    os.utime(blobs.path(sha256), (long_ago, long_ago))
    return sha256


def submit(database: Database, submission: Submission, sha256: str, *, ended_ago: float | None = None) -> Job:
    with database.write() as connection:
        job = jobs.submit(connection, replace(submission, sha256=sha256), max_attempts=4)
        if ended_ago is not None:
            assert jobs.cancel(connection, job.id, actor=CLIENT) is not None
            ended = update(tables.jobs).where(tables.jobs.c.id == job.id)
            connection.execute(ended.values(finished_at=database_now(-ended_ago)))
    return job


def everywhere(database: Database, blobs: Blobs, *, age_seconds: float = 0) -> set[str]:
    found = [tidy.delete_uploads(database, blobs, f"{n:02x}", age_seconds=age_seconds) for n in range(256)]
    return {sha256 for folder in found for sha256 in folder}


def events(database: Database) -> list[str]:
    with database.read() as connection:
        return [event.event for event in trail.list_events(connection)]


def test_an_upload_without_a_job_is_deleted_when_it_is_old(
    database: Database, submission: Submission, blobs: Blobs
) -> None:
    orphan, young, used = put(blobs, b"orphan"), put(blobs, b"young", age_seconds=0), put(blobs, b"used")
    submit(database, submission, used, ended_ago=9 * DAY)
    assert everywhere(database, blobs) == {orphan}
    assert not blobs.path(orphan).exists()
    assert blobs.get(young) == b"young" and blobs.get(used) == b"used"
    assert events(database).count(trail.Event.UPLOAD_DELETED) == 1


def test_uploads_that_are_older_than_the_database_are_not_its_orphans(
    database: Database, submission: Submission, blobs: Blobs
) -> None:
    """A new database beside old uploads: a mistake in a setting must not cost them."""
    with database.write() as connection:
        connection.execute(update(tables.audit_chain).values(born_at=database_now(-HOUR)))
    foreign = put(blobs, b"foreign", age_seconds=DAY)
    submit(database, submission, put(blobs, b"mine"))
    assert everywhere(database, blobs, age_seconds=DAY) == set()
    with database.write() as connection:
        connection.execute(update(tables.audit_chain).values(born_at=None))
    assert everywhere(database, blobs) == set(), "nobody knows"
    assert blobs.get(foreign) == b"foreign"


def test_a_folder_that_cannot_be_read_does_not_end_the_sweeper(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs.root.mkdir()
    for n in range(256):
        (blobs.root / f"{n:02x}").touch()  # a file where a folder should be
    monkeypatch.setattr(tidy, "FOLDER_SECONDS", 0.0)
    Tidy(database, blobs, Ages(uploads=0, results=0, audit=0, idempotency=DAY))()


def test_uploads_are_kept_until_the_last_job_has_reached_their_age(
    database: Database, submission: Submission, blobs: Blobs
) -> None:
    old, shared, still_open = put(blobs, b"old"), put(blobs, b"shared"), put(blobs, b"open")
    job = submit(database, submission, old, ended_ago=2 * DAY)
    submit(database, submission, shared, ended_ago=2 * DAY)
    submit(database, submission, shared, ended_ago=HOUR)
    submit(database, submission, still_open)
    assert everywhere(database, blobs, age_seconds=DAY) == {old}
    with database.read() as connection:
        assert jobs.get(connection, job.id) is not None, "the job stays, without its upload"
    with pytest.raises(errors.DocumentMissing):
        blobs.get(old)


def test_jobs_are_deleted_at_their_age_with_their_uploads_and_open_ones_never(
    database: Database, submission: Submission, blobs: Blobs
) -> None:
    sha256, other = put(blobs, b"1"), put(blobs, b"2")
    old = submit(database, submission, sha256, ended_ago=2 * DAY)
    young = submit(database, submission, other, ended_ago=HOUR)
    waiting = submit(database, submission, other)
    assert tidy.delete_jobs(database, blobs, age_seconds=0) == []
    assert tidy.delete_jobs(database, blobs, age_seconds=DAY) == [old.id]
    with database.read() as connection:
        assert {job.id for job in jobs.list_jobs(connection)} == {young.id, waiting.id}
        assert trail.has_event(connection, old.id, trail.Event.DELETED)
    assert not blobs.path(sha256).exists()
    assert blobs.get(other) == b"2"


def test_keys_batches_children_and_audit_events_reach_their_ages(
    database: Database, submission: Submission, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as connection:
        for n in range(2):
            assert idempotency.remember(connection, Key("ip", str(n), "f"), "job", age_seconds=DAY)
            workers.register(connection, node="n", host="h", pid=n, model={"name": "m", "version": "1", "sha256": "0"})
            batches.submit(connection, reference=None, client_ip=None, document_count=1)
            trail.record(connection, event="test", actor=Actor("worker", "test"))
        first_batch = tables.batches.c.id == select(func.min(tables.batches.c.id)).scalar_subquery()
        for table, column, row in (
            (tables.idempotency_keys, "created_at", tables.idempotency_keys.c.key == "0"),
            (tables.worker_children, "heartbeat_at", tables.worker_children.c.pid == 0),
            (tables.batches, "created_at", first_batch),
        ):
            connection.execute(update(table).where(row).values({column: database_now(-2 * DAY)}))
    monkeypatch.setattr(tidy, "REST_SECONDS", 0.0)
    sweep = Tidy(database, blobs, Ages(uploads=0, results=0, audit=0, idempotency=DAY))
    sweep()
    counted = (tables.idempotency_keys, tables.worker_children, tables.batches, tables.audit_events)
    with database.read() as connection:
        left = [connection.execute(select(func.count()).select_from(table)).scalar_one() for table in counted]
    assert left == [1, 1, 1, 3], "audit events are kept unless the operator says otherwise"
    Tidy(database, blobs, Ages(uploads=0, results=0, audit=DAY, idempotency=DAY))()
    with database.read() as connection:
        assert len(trail.list_events(connection)) == 2, "the one of last year is gone"


def test_orphans_go_also_where_old_audit_events_went(database: Database, blobs: Blobs) -> None:
    orphan = put(blobs, b"orphan", age_seconds=30 * DAY)
    with database.write() as connection:
        connection.execute(delete(tables.audit_events))
    assert everywhere(database, blobs) == {orphan}


def test_what_is_old_goes_portion_by_portion_without_a_pause(
    database: Database, submission: Submission, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidy, "PORTION", 2)
    ids = [submit(database, submission, put(blobs, bytes([n])), ended_ago=2 * DAY).id for n in range(5)]
    sweep = Tidy(database, blobs, Ages(uploads=0, results=DAY, audit=0, idempotency=DAY))
    sweep._rest_at -= tidy.REST_SECONDS
    for left in (3, 1, 0, 0):
        sweep()
        with database.read() as connection:
            assert len(jobs.list_jobs(connection)) == left, ids


def test_what_cannot_be_sealed_does_not_keep_the_rest_from_being_tidied(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> bool:
        raise errors.StorageFull()

    sweep = Tidy(database, blobs, Ages(uploads=0, results=0, audit=0, idempotency=DAY))
    monkeypatch.setattr(sweep._sealer, "seal", full)
    folder = sweep._folder
    sweep._folder_at -= tidy.FOLDER_SECONDS
    with pytest.raises(errors.StorageFull):
        sweep()
    sweep()
    assert sweep._folder == (folder + 1) % 256


def test_a_job_that_arrives_while_its_upload_is_deleted_keeps_it(
    database: Database, submission: Submission, blobs: Blobs
) -> None:
    """The two orders in which it can happen: committed before the question is asked, or after the file is gone."""
    sha256 = put(blobs, b"wanted")

    def commit_then_ask() -> bool:
        assert not blobs.path(sha256).exists()
        assert blobs.get(sha256) == b"wanted", "a worker can read it meanwhile"
        submit(database, submission, sha256)
        return True

    assert not blobs.discard(sha256, commit_then_ask)
    assert blobs.get(sha256) == b"wanted"
    late = put(blobs, b"late")
    assert blobs.discard(late, lambda: False)
    submit(database, submission, late)
    blobs.keep(late, b"late")
    assert blobs.get(late) == b"late"


def test_what_a_killed_sweeper_left_set_aside_is_found(
    database: Database, submission: Submission, blobs: Blobs
) -> None:
    needed, orphan = put(blobs, b"needed"), put(blobs, b"orphan")
    submit(database, submission, needed)
    for sha256 in (needed, orphan):
        blobs.path(sha256).rename(blobs.path(sha256).with_name(f".aside-{sha256}"))
    unfinished = blobs.root / needed[:2] / ".put-x"
    unfinished.touch()
    os.utime(unfinished, (0, 0))
    assert everywhere(database, blobs) == {orphan}
    assert blobs.get(needed) == b"needed"
    assert not unfinished.exists()


def test_many_sweepers_at_once_delete_each_upload_once(
    database: Database, submission: Submission, blobs: Blobs
) -> None:
    uploads = {put(blobs, bytes([n])) for n in range(20)}
    kept = put(blobs, b"kept")
    submit(database, submission, kept)
    threads = [threading.Thread(target=everywhere, args=(database, blobs)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.name for path in blobs.root.rglob("*") if path.is_file()} == {kept}
    assert len(uploads) == 20
