"""Sending from the first page: batches that grow file by file, and what is said where something was refused."""

from __future__ import annotations

import dataclasses
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete
from werkzeug.test import TestResponse

from api.app import app_of
from api.service import batches
from api.service.caller import NOBODY
from api.service.parts import Parts
from shared import jobs, tables
from shared.keys.record import Scope
from tests.unit.api.conftest import finish, png
from tests.unit.api.web.test_sign_in import signed_in, token_of

__all__ = ["signed_in"]

SCRIPT = {"Accept": "application/problem+json"}


def send(client: FlaskClient, number: int, batch: str, key: str = "") -> TestResponse:
    form = {"file": (io.BytesIO(png(8, 8 + number)), f"{number}.png"), "batch": batch, "batch_name": "holiday"}
    headers = {**SCRIPT, "X-CSRF-Token": token_of(client, "/"), **({"Idempotency-Key": key} if key else {})}
    return client.post("/", data=form, headers=headers)


def of_form(client: FlaskClient, *contents: bytes, **more: str) -> TestResponse:
    files = [(io.BytesIO(content), f"{number}.png") for number, content in enumerate(contents)]
    return client.post("/", data={"file": files, "csrf": token_of(client, "/"), **more})


def all_jobs(parts: Parts) -> list[jobs.Job]:
    with parts.database.read() as connection:
        return jobs.list_jobs(connection, limit=100)


def test_files_join_the_batch_that_the_first_began_and_a_repetition_joins_nothing(
    client: FlaskClient, parts: Parts
) -> None:
    assert send(client, 0, "new", key="first").status_code == 202
    assert send(client, 0, "new", key="first").status_code == 202
    (first,) = all_jobs(parts)
    assert first.batch_id is not None
    assert first.batch_id in send(client, 1, first.batch_id).get_data(as_text=True)
    found = batches.find(parts, first.batch_id, NOBODY)
    assert (found.batch.reference, found.batch.document_count, found.counts["queued"]) == ("holiday", 2, 2)


def test_nobody_joins_the_batch_of_another_key_nor_one_that_is_full(
    parts: Parts, signed_in: Callable[..., FlaskClient]
) -> None:
    small = dataclasses.replace(parts, settings=parts.settings.model_copy(update={"max_batch_documents": 2}))
    mine = signed_in(Scope.READ, Scope.SUBMIT)
    send(mine, 0, "new")
    batch_id = str(all_jobs(parts)[0].batch_id)
    refused = send(signed_in(Scope.READ, Scope.SUBMIT), 1, batch_id)
    assert (refused.status_code, refused.get_json()["code"]) == (404, "batch_not_found")
    assert send(mine, 1, batch_id).status_code == 202
    cookie = mine.get_cookie("ocrelay_session")
    assert cookie is not None
    other_process = app_of(small).test_client()
    other_process.set_cookie("ocrelay_session", cookie.value)
    refused = send(other_process, 2, batch_id)
    assert (refused.status_code, refused.get_json()["code"]) == (413, "too_many_documents")
    assert send(mine, 3, "bat_nonsense").status_code == 404
    assert batches.find(parts, batch_id, NOBODY).batch.document_count == len(all_jobs(parts)) == 2


def test_a_form_with_more_than_a_batch_holds_becomes_several(parts: Parts) -> None:
    small = dataclasses.replace(parts, settings=parts.settings.model_copy(update={"max_batch_documents": 2}))
    answer = of_form(app_of(small).test_client(), *(png(8, 8 + n) for n in range(5)), together="on")
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/batches/bat_")
    sizes = [batches.find(parts, batch_id, NOBODY).batch.document_count for batch_id in {
        str(job.batch_id) for job in all_jobs(parts)
    }]  # fmt: skip
    assert sorted(sizes) == [1, 2, 2]


@pytest.mark.parametrize(
    ("contents", "status"),
    [
        ([png()], 303),
        ([png(), b"text"], 207),
        ([b"text"], 415),
        ([b"", b"text"], 400),
    ],
)
def test_the_status_says_whether_all_some_or_none_was_taken(
    client: FlaskClient, contents: list[Any], status: int
) -> None:
    assert of_form(client, *contents).status_code == status


def test_a_form_may_be_as_large_as_a_batch_and_not_only_as_a_document(parts: Parts) -> None:
    small = dataclasses.replace(parts, settings=parts.settings.model_copy(update={"max_document_bytes": 10_000}))
    documents = [png(8, 8 + n) + b"\0" * 9_000 for n in range(30)]
    assert of_form(app_of(small).test_client(), *documents).status_code == 303
    assert len(all_jobs(parts)) == 30


def test_what_was_sent_from_a_page_is_downloaded_under_its_own_name(client: FlaskClient, parts: Parts) -> None:
    """A newcomer got `job_….txt`, and `0001-job_….txt` in zips."""
    files = [(io.BytesIO(png()), name) for name in ("invoice-22.png", "a/b<收据>.png")]
    token = token_of(client, "/")
    client.post("/", data={"file": files, "csrf": token, "together": "on"})
    found = {job.filename: job for job in all_jobs(parts)}
    for job in found.values():
        finish(parts, job.id)
    invoice = found["invoice-22.png"]
    single = client.get(f"/jobs/{invoice.id}/download?format=text")
    assert single.headers["Content-Disposition"] == 'attachment; filename="invoice-22.txt"'
    with pikepdf.open(io.BytesIO(client.get(f"/jobs/{invoice.id}/download?format=pdf").data)) as document:
        assert document.open_metadata()["dc:title"] == "invoice-22"
    order = {"job": [invoice.id], "order": "download", "format": "pdf", "csrf": token}
    with zipfile.ZipFile(io.BytesIO(client.post("/jobs", data=order).data)) as archive:
        assert archive.namelist() == ["0001-invoice-22.pdf"]
        with pikepdf.open(io.BytesIO(archive.read(archive.namelist()[0]))) as document:
            assert document.open_metadata()["dc:title"] == "invoice-22"
    answer = client.get(f"/batches/{invoice.batch_id}/results?format=text")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="invoice-22.png +1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.namelist() == ["0001-invoice-22.txt", "0002-b_收据.txt", "batch.json"]


def test_an_open_stream_ends_with_the_session(parts: Parts, signed_in: Callable[..., FlaskClient]) -> None:
    mine = signed_in(Scope.READ, Scope.SUBMIT)
    assert of_form(mine, png()).status_code == 303
    stream = iter(mine.get("/sent/events").response)
    assert any(b"event: row" in bytes(next(stream)) for _ in range(3))
    assert b"still there" in bytes(next(stream))
    with parts.database.write() as connection:
        connection.execute(delete(tables.sessions))
    assert list(stream) == []
