"""Many documents in one request."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import app_of
from api.service.parts import Parts
from shared import jobs
from shared.webhooks.targets import Guard
from tests.unit.api.conftest import finish, png
from worker.sweep.publish_window import due_for_publish

CONTENTS = [png(8 + n, 8) for n in range(30)]
KEY = {"Idempotency-Key": "batch-1"}


def form(contents: list[bytes], **fields: str | list[str]) -> dict[str, Any]:
    return {"file": [(io.BytesIO(content), f"{n}.png") for n, content in enumerate(contents)], **fields}


def stored(parts: Parts) -> tuple[int, int]:
    with parts.database.read() as connection:
        files = [path for path in parts.blobs.root.rglob("*") if path.is_file()] if parts.blobs.root.exists() else []
        return len(jobs.list_jobs(connection)), len(files)


def test_each_document_of_a_batch_becomes_a_job(client: FlaskClient, parts: Parts) -> None:
    answer = client.post("/v1/batches", data=form(CONTENTS, reference="scan 7", layout="line", priority="bulk"))
    assert answer.status_code == 202
    batch = answer.json
    assert answer.headers["Location"] == f"/v1/batches/{batch['id']}" == batch["links"]["self"]
    assert (batch["document_count"], batch["counts"]["queued"], batch["is_finished"]) == (30, 30, False)
    sizes = [job["document"]["size_bytes"] for job in batch["jobs"]]
    assert sizes == [len(content) for content in CONTENTS], "in the order of the files"
    assert {(job["reference"], job["priority"], job["batch_id"]) for job in batch["jobs"]} == {
        ("scan 7", "bulk", batch["id"])
    }
    finish(parts, batch["jobs"][0]["id"])
    client.post(f"/v1/jobs/{batch['jobs'][1]['id']}/cancel")
    client.delete(f"/v1/jobs/{batch['jobs'][2]['id']}")
    again = client.get(batch["links"]["self"]).json
    assert again["counts"] == {"queued": 27, "running": 0, "succeeded": 1, "failed": 0, "cancelled": 1, "deleted": 1}
    assert len(client.get(batch["links"]["jobs"]).json["jobs"]) == 29


@pytest.mark.parametrize(("layout", "published"), [("line", [0, 4, 8]), ("page", [*range(9)]), ("auto", [*range(9)])])
def test_of_the_lines_of_a_batch_every_fourth_is_published_and_the_sweeper_knows_the_others(
    client: FlaskClient, parts: Parts, layout: str, published: list[int]
) -> None:
    batch = client.post("/v1/batches", data=form(CONTENTS[:9], layout=layout)).json
    job_ids = [job["id"] for job in batch["jobs"]]
    with parts.database.read() as connection:
        found = [jobs.get(connection, job_id) for job_id in job_ids]
        due = [job_id for job_id, _ in due_for_publish(connection, limit=100)]
    assert [number for number, job in enumerate(found) if job and job.published_at is not None] == published
    assert due == [job_ids[number] for number in range(9) if number not in published]


def test_each_document_of_a_batch_may_have_a_name_of_its_own(client: FlaskClient, parts: Parts) -> None:
    names = ["a/发票 1.png", "b.png", "a/发票 1.png"]
    batch = client.post("/v1/batches", data=form(CONTENTS[:3], filename=names)).json
    assert [job["filename"] for job in batch["jobs"]] == names
    for job in batch["jobs"]:
        assert client.get(f"/v1/jobs/{job['id']}").json["filename"] == job["filename"]
        finish(parts, job["id"])
    listed = client.get(f"/v1/batches/{batch['id']}/jobs").json["jobs"]
    assert [job["filename"] for job in listed] == names
    answer = client.get(batch["links"]["results"])
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        told = json.loads(archive.read("batch.json"))["jobs"]
        assert not any("发票" in name for name in archive.namelist()), "no file is named by it"
    assert [job["filename"] for job in told] == names


def test_names_come_in_json_too_some_without_and_one_name_is_that_of_all(client: FlaskClient) -> None:
    images = [base64.b64encode(content).decode() for content in CONTENTS[:2]]
    batch = client.post("/v1/batches", json={"images": images, "filenames": ["a.png", None]}).json
    assert [job["filename"] for job in batch["jobs"]] == ["a.png", None]
    one = client.post("/v1/batches", data=form(CONTENTS[:2], filename="scan")).json
    assert [job["filename"] for job in one["jobs"]] == ["scan", "scan"]


IMAGE = base64.b64encode(CONTENTS[0]).decode()
MISFITS: dict[str, Callable[[], dict[str, Any]]] = {
    "too few": lambda: {"data": form(CONTENTS[:3], filename=["a", "b"])},
    "an empty one": lambda: {"data": form(CONTENTS[:2], filename=["a", ""])},
    "in two places": lambda: {"data": form(CONTENTS[:2], filename=["a", "b"]), "query_string": {"filename": "c"}},
    "no list": lambda: {"json": {"images": [IMAGE], "filenames": "a"}},
    "no text": lambda: {"json": {"images": [IMAGE], "filenames": [1]}},
}


@pytest.mark.parametrize("name", MISFITS)
def test_names_that_do_not_fit_the_documents_are_refused(client: FlaskClient, parts: Parts, name: str) -> None:
    answer = client.post("/v1/batches", **MISFITS[name]())
    assert (answer.status_code, answer.json["code"], stored(parts)) == (422, "invalid_option", (0, 0))


def test_another_name_is_another_batch_under_the_same_key(client: FlaskClient) -> None:
    def sent(*names: str) -> Any:
        return client.post("/v1/batches", data=form(CONTENTS[:2], filename=[*names]), headers=KEY)

    first, again, other = sent("a", "b"), sent("a", "b"), sent("a", "c")
    assert (first.json["id"], other.status_code) == (again.json["id"], 422)


def test_the_webhook_of_a_batch_is_that_of_each_job_and_is_judged_once(parts: Parts) -> None:
    asked: list[str] = []

    def known(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["10.0.0.1" if host == "inside.example" else "93.184.216.34"]

    client = app_of(replace(parts, guard=Guard((), known))).test_client()
    refused = client.post("/v1/batches", data=form(CONTENTS[:3], webhook="https://inside.example/"))
    assert (refused.status_code, refused.json["code"]) == (422, "invalid_webhook_url")
    assert stored(parts) == (0, 0)
    url = "https://hooks.example/ocr"
    assert client.post("/v1/batches", data=form(CONTENTS[:3], webhook=url)).status_code == 202
    assert asked == ["inside.example", "hooks.example"]
    with parts.database.read() as connection:
        assert [job.webhook for job in jobs.list_jobs(connection)] == [url] * 3


def test_a_batch_is_finished_when_none_of_its_jobs_is_open(client: FlaskClient, parts: Parts) -> None:
    images = [base64.b64encode(content).decode() for content in CONTENTS[:2]]
    batch = client.post("/v1/batches", json={"images": images}).json
    for job in batch["jobs"]:
        finish(parts, job["id"])
    answer = client.get(batch["links"]["self"])
    assert answer.json["is_finished"] and "Retry-After" not in answer.headers


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"data": form([CONTENTS[0], b"no image", CONTENTS[1]])}, 415, "unsupported_media_type"),
        ({"data": {"layout": "line"}, "content_type": "multipart/form-data"}, 422, "missing_file"),
        ({"data": {"scan": (io.BytesIO(png()), "a")}}, 422, "missing_file"),
        ({"json": {"images": []}}, 422, "missing_file"),
        ({"json": {"images": ["?"]}}, 422, "invalid_base64"),
        ({"json": {"images": "?"}}, 422, "missing_file"),
        ({"json": {"image": "?"}}, 422, "missing_file"),
        ({"data": b"{", "content_type": "application/json"}, 400, "invalid_json"),
        ({"data": form([png()], langauge="zh")}, 422, "unknown_option"),
        ({"data": form([png(8 + n, 9) for n in range(101)])}, 413, "too_many_documents"),
    ],
)
def test_a_batch_is_taken_whole_or_not_at_all(
    client: FlaskClient, parts: Parts, request_: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post("/v1/batches", **request_)
    assert (answer.status_code, answer.json["code"], answer.mimetype) == (status, code, "application/problem+json")
    assert stored(parts) == (0, 0)


def test_a_refused_batch_names_every_document_that_is_wrong(client: FlaskClient) -> None:
    problem = client.post("/v1/batches", data=form([CONTENTS[0], b"no image", CONTENTS[1], b""])).json
    assert problem["detail"].startswith("Document 2 of 4: ")
    assert [(one["index"], one["code"]) for one in problem["details"]["documents"]] == [
        (1, "unsupported_media_type"),
        (3, "empty_document"),
    ]


def test_a_batch_may_be_larger_than_one_document_but_not_endless(parts: Parts) -> None:
    settings = parts.settings.model_copy(update={"max_document_bytes": 400, "max_batch_bytes": 900})
    client = app_of(replace(parts, settings=settings)).test_client()
    padded = [png(8 + n, 8) + b"\0" * 200 for n in range(4)]
    assert client.post("/v1/batches", data=form(padded[:3])).status_code == 202
    answer = client.post("/v1/batches", data=form(padded))
    assert (answer.status_code, answer.json["code"]) == (413, "document_too_large")
    assert "OCRELAY_MAX_BATCH_BYTES" in answer.json["detail"]


def test_a_batch_that_is_sent_again_with_its_key_is_the_same_batch(client: FlaskClient, parts: Parts) -> None:
    first = client.post("/v1/batches", data=form(CONTENTS[:3]), headers=KEY)
    again = client.post("/v1/batches", data=form(CONTENTS[:3]), headers=KEY)
    assert (again.json["id"], again.headers["Idempotency-Replayed"]) == (first.json["id"], "true")
    assert {job["id"] for job in again.json["jobs"]} == {job["id"] for job in first.json["jobs"]}
    assert client.post("/v1/batches", data=form(CONTENTS[:2]), headers=KEY).json["code"] == "idempotency_mismatch"
    assert client.post("/v1/jobs", data=CONTENTS[0], headers=KEY).json["code"] == "idempotency_mismatch"
    assert stored(parts) == (3, 3)


@pytest.mark.parametrize("batch_id", ["bat_1", "bat_" + "0" * 26, "job_" + "0" * 26, "%00"])
def test_an_unknown_batch_is_a_404_problem(client: FlaskClient, batch_id: str) -> None:
    answer = client.get(f"/v1/batches/{batch_id}")
    assert (answer.status_code, answer.json["code"]) == (404, "batch_not_found")
