"""A server that cannot take more: its disk is full, its backlog is, or nobody works."""

from __future__ import annotations

import errno
import io
import os
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from api.app import app_of
from api.service.parts import Parts
from shared import errors, jobs, tables, workers
from shared.database import database_now
from shared.uploads.blobs import Blobs
from tests.unit.api.conftest import png
from tests.uploads_in_memory import UploadsInMemory


def stored(parts: Parts) -> tuple[int, list[str]]:
    with parts.database.read() as connection:
        count = len(jobs.list_jobs(connection))
    return count, [path.name for path in parts.blobs.root.rglob("*") if path.is_file()]


def assert_full(answer: Any) -> None:
    assert (answer.status_code, answer.mimetype) == (507, "application/problem+json")
    assert (answer.json["code"], answer.json["retryable"]) == ("storage_full", True)
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "mkdir"])
def test_a_full_disk_answers_507_and_nothing_is_stored(
    client: FlaskClient, parts: Parts, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def full(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        assert_full(client.post("/v1/jobs", data=png()))
    assert stored(parts) == (0, [])
    assert client.post("/v1/jobs", data=png()).status_code == 202, "there is room again"


def test_a_real_full_disk_answers_507(parts: Parts) -> None:
    """/dev/full is a disk that is always full; a blob folder cannot lie on it, so the write itself goes there."""
    if not os.path.exists("/dev/full"):  # noqa: PTH110
        pytest.skip("no /dev/full here")

    class FullBlobs(Blobs):
        def put(self, content: bytes, sha256: str | None = None) -> str:
            with open("/dev/full", "wb") as file:  # noqa: PTH123
                file.write(content)
            return ""

    assert_full(app_of(replace(parts, blobs=FullBlobs(parts.blobs.root))).test_client().post("/v1/jobs", data=png()))


def test_a_disk_that_is_full_in_the_middle_of_a_batch_keeps_none_of_it(parts: Parts) -> None:
    class NearlyFull(Blobs):
        def put(self, content: bytes, sha256: str | None = None) -> str:
            if len(list(self.root.rglob("?" * 64))) == 2:
                raise errors.StorageFull()
            return super().put(content, sha256)

    nearly = replace(parts, blobs=NearlyFull(parts.blobs.root))
    files = [(io.BytesIO(png(8 + n, 8)), f"{n}.png") for n in range(4)]
    assert_full(app_of(nearly).test_client().post("/v1/batches", data={"file": files}))
    assert stored(parts) == (0, [])


def test_a_full_disk_of_the_database_answers_507_and_leaves_no_upload(client: FlaskClient, parts: Parts) -> None:
    """SQLite itself says so: its file may not grow by another page."""
    with parts.database.write() as connection:
        raw: Any = connection.connection.driver_connection
        (pages,) = raw.execute("PRAGMA page_count").fetchone()
        raw.execute(f"PRAGMA max_page_count = {pages}")
        row = dict.fromkeys(["scope"], "x" * 100) | {"fingerprint": "f" * 64, "subject": "s"}
        for n in range(200):
            try:
                with connection.begin_nested():
                    connection.execute(
                        tables.idempotency_keys.insert().values(key=str(n) * 50, created_at=database_now(), **row)
                    )
            except Exception:  # noqa: BLE001
                break
    last: Any = None
    for n in range(200):
        last = client.post("/v1/jobs", data=png(8 + n, 8))
        if last.status_code != 202:
            break
    assert_full(last)
    count, files = stored(parts)
    assert len(files) == count


def test_nothing_is_taken_once_jobs_have_waited_for_long_and_nobody_works(client: FlaskClient, parts: Parts) -> None:
    assert client.post("/v1/jobs", data=png()).status_code == 202
    with parts.database.write() as connection:
        old = database_now(-parts.settings.no_worker_seconds - 1)
        connection.execute(update(tables.jobs).values(created_at=old))
    answer = client.post("/v1/jobs", data=png(9, 9))
    assert (answer.status_code, answer.json["code"], answer.json["retryable"]) == (503, "no_workers", True)
    assert "Retry-After" in answer.headers
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="h", pid=1, model={"name": "m", "version": "1", "sha256": "0"})
    assert client.post("/v1/jobs", data=png(9, 9)).status_code == 202


def test_the_api_works_with_any_store_of_uploads(parts: Parts) -> None:
    client = app_of(replace(parts, blobs=UploadsInMemory())).test_client()
    job = client.post("/v1/jobs", data=png()).json
    assert client.get(job["links"]["image"]).data == png()
    assert stored(parts) == (1, []), "nothing went into the folder"
    assert client.post(job["links"]["self"] + "/cancel").status_code == 200
    assert client.post(job["links"]["self"] + "/retry").status_code == 202
    assert client.delete(job["links"]["self"]).status_code == 204


def test_what_was_hashed_at_intake_is_not_hashed_again(parts: Parts) -> None:
    told: list[str | None] = []

    class Noting(UploadsInMemory):
        def put(self, content: bytes, sha256: str | None = None) -> str:
            told.append(sha256)
            return super().put(content, sha256)

    job = app_of(replace(parts, blobs=Noting())).test_client().post("/v1/jobs", data=png()).json
    assert told == [job["document"]["sha256"]]
