"""A submission that is sent again: with an Idempotency-Key it is the same job, without one a copy of the result."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from api.app import app_of
from api.service.parts import Parts
from shared import jobs, tables, workers
from shared.database import database_now
from shared.uploads.blobs import Blobs
from tests.unit.api.conftest import READER, RESULT, finish, png

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
MODEL = {"name": "m", "version": "1", "sha256": "0" * 64}


def count(parts: Parts) -> int:
    with parts.database.read() as connection:
        return len(jobs.list_jobs(connection))


def live(parts: Parts, pid: int = 1, reader: str = READER) -> None:
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="h", pid=pid, model=MODEL, reader_sha256=reader)


def test_the_same_request_with_the_same_key_gets_the_same_job(client: FlaskClient, parts: Parts) -> None:
    first = client.post("/v1/jobs?reference=7", data=png(), headers=KEY)
    again = client.post("/v1/jobs?reference=7", data=png(), headers=KEY)
    unquoted = client.post(
        "/v1/jobs?reference=7", data=png(), headers={"Idempotency-Key": KEY["Idempotency-Key"][1:-1]}
    )
    assert (first.status_code, "Idempotency-Replayed" in first.headers) == (202, False)
    for answer in (again, unquoted):
        assert (answer.status_code, answer.headers["Idempotency-Replayed"]) == (202, "true")
        assert (answer.json, answer.headers["Location"]) == (first.json, first.headers["Location"])
    assert count(parts) == 1


def test_a_replay_is_answered_although_the_backlog_is_full(parts: Parts) -> None:
    full = replace(parts, settings=parts.settings.model_copy(update={"backlog_limit": 1}))
    client = app_of(full).test_client()
    first = client.post("/v1/jobs", data=png(), headers=KEY)
    assert client.post("/v1/jobs", data=png()).status_code == 503
    assert client.post("/v1/jobs", data=png(), headers=KEY).json["id"] == first.json["id"]


@pytest.mark.parametrize("other", [{"data": png(9, 9)}, {"data": png(), "query_string": {"layout": "line"}}])
def test_the_same_key_with_something_else_is_refused(client: FlaskClient, parts: Parts, other: dict[str, Any]) -> None:
    client.post("/v1/jobs", data=png(), headers=KEY)
    answer = client.post("/v1/jobs", headers=KEY, **other)
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_mismatch")
    assert count(parts) == 1


def test_a_request_that_was_refused_leaves_its_key_free(client: FlaskClient, parts: Parts) -> None:
    assert client.post("/v1/jobs", data=b"no image", headers=KEY).status_code == 415
    assert client.post("/v1/jobs", data=png(), headers=KEY).status_code == 202


def test_another_client_has_keys_of_its_own(parts: Parts) -> None:
    open_to_all = parts.settings.model_copy(update={"allow_remote_without_keys": True})
    client = app_of(replace(parts, settings=open_to_all)).test_client()
    ids = [
        client.post("/v1/jobs", data=png(), headers=KEY, environ_overrides={"REMOTE_ADDR": ip}).json["id"]
        for ip in ("192.0.2.1", "192.0.2.2")
    ]
    assert len(set(ids)) == 2


def test_a_key_is_forgotten_after_its_time(client: FlaskClient, parts: Parts) -> None:
    first = client.post("/v1/jobs", data=png(), headers=KEY).json["id"]
    with parts.database.write() as connection:
        old = database_now(-parts.settings.idempotency_seconds - 1)
        connection.execute(update(tables.idempotency_keys).values(created_at=old))
    second = client.post("/v1/jobs", data=png(9, 9), headers=KEY)
    assert second.status_code == 202 and second.json["id"] != first
    assert client.post("/v1/jobs", data=png(9, 9), headers=KEY).json["id"] == second.json["id"]


def test_the_replay_of_a_deleted_job_says_so(client: FlaskClient) -> None:
    job = client.post("/v1/jobs", data=png(), headers=KEY).json
    client.delete(job["links"]["self"])
    assert client.post("/v1/jobs", data=png(), headers=KEY).json["code"] == "job_deleted"


@pytest.mark.parametrize("key", ["", '""', " ", "x" * 256, "日本"])
def test_a_key_that_is_none_is_refused(client: FlaskClient, parts: Parts, key: str) -> None:
    answer = client.post("/v1/jobs", data=png(), headers={"Idempotency-Key": key})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_option")
    assert count(parts) == 0


class SlowBlobs(Blobs):
    """Storing waits until it is told to go on."""

    def __init__(self, real: Blobs) -> None:
        super().__init__(real.root)
        self.reached, self.go_on = threading.Event(), threading.Event()

    def put(self, content: bytes, sha256: str | None = None) -> str:
        self.reached.set()
        assert self.go_on.wait(30)
        return super().put(content, sha256)


def test_a_key_whose_first_request_is_still_at_work_answers_409(parts: Parts) -> None:
    blobs = SlowBlobs(parts.blobs)
    client = app_of(replace(parts, blobs=blobs)).test_client
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: client().post("/v1/jobs", data=png(), headers=KEY))
        assert blobs.reached.wait(30)
        early = client().post("/v1/jobs", data=png(), headers=KEY)
        blobs.go_on.set()
        accepted = first.result()
    assert (early.status_code, early.json["code"], early.json["retryable"]) == (409, "idempotency_in_flight", True)
    assert "Retry-After" in early.headers
    assert client().post("/v1/jobs", data=png(), headers=KEY).json["id"] == accepted.json["id"]
    assert count(parts) == 1


def test_a_document_that_was_read_before_is_answered_from_the_earlier_job(client: FlaskClient, parts: Parts) -> None:
    live(parts)
    first = client.post("/v1/jobs", data=png()).json["id"]
    finish(parts, first)
    answer = client.post("/v1/jobs?reference=second", data=png(), headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json["state"], answer.json["result"]) == (200, "succeeded", RESULT)
    assert (answer.json["copied_from"], answer.json["reference"]) == (first, "second")
    assert answer.json["id"] != first
    assert client.get(f"/v1/jobs/{first}").json["copied_from"] is None


@pytest.mark.parametrize("why", ["not wanted", "other options", "no worker", "two readers", "another reader", "failed"])
def test_a_document_is_read_anew_where_the_result_could_differ(client: FlaskClient, parts: Parts, why: str) -> None:
    if why != "no worker":
        live(parts, reader="1" * 64 if why == "another reader" else READER)
    if why == "two readers":
        live(parts, pid=2, reader="2" * 64)
    first = client.post("/v1/jobs", data=png()).json["id"]
    if why != "failed":
        finish(parts, first)
    query = {"not wanted": "?dedupe=false", "other options": "?layout=line"}.get(why, "")
    answer = client.post(f"/v1/jobs{query}", data=png())
    assert (answer.json["state"], answer.json["copied_from"]) == ("queued", None)
