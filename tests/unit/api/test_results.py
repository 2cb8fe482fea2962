"""Results in every format, of one job and of a batch, by name and by `Accept`."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.app import app_of
from api.formats.table import BY_NAME, FORMATS, NAMES
from api.service.parts import Parts
from shared import jobs, keys
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from tests.unit.api.conftest import READER, RESULT, finish, png

PAGES = {**RESULT, "pages": [{**RESULT["pages"][0], "page_number": number} for number in (1, 2)]}
BEGINS = {
    "json": b'{"text":', "text": "你好".encode(), "markdown": "你好".encode(), "tsv": b"level\t", "hocr": b"<?xml",
    "alto": b"<?xml", "page": b"<?xml", "pdf": b"%PDF-1.",
}  # fmt: skip


def end(parts: Parts, job_id: str, result: dict[str, Any]) -> None:
    with parts.database.write() as connection:
        job = jobs.claim(connection, job_id, owner="test/1", lease_seconds=30)
        assert job is not None and job.lease_token is not None
        assert jobs.succeed(
            connection, job_id, job.lease_token, result=result, timings_ms={"total": 3.0}, reader_sha256=READER
        )


@pytest.fixture
def job_id(client: FlaskClient, parts: Parts) -> str:
    found = str(client.post("/v1/jobs", data=png(64, 32)).json["id"])
    finish(parts, found)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_format_is_given_by_its_name_and_by_its_media_type(client: FlaskClient, job_id: str, name: str) -> None:
    form = BY_NAME[name]
    by_name = client.get(f"/v1/jobs/{job_id}/result?format={name}")
    by_type = client.get(f"/v1/jobs/{job_id}/result", headers={"Accept": f"{form.media_type}, text/html;q=0.4"})
    for answer in (by_name, by_type):
        assert (answer.status_code, answer.mimetype) == (200, form.media_type)
        assert answer.data.startswith(BEGINS[name]) and answer.content_length == len(answer.data)
        assert answer.headers["Content-Disposition"].endswith(f'filename="{job_id}.{form.ending}"')
        assert "Accept" in answer.headers["Vary"]
    assert by_type.data == by_name.data or name == "pdf"


def test_every_format_is_tried_and_all_differ_in_name_type_and_ending() -> None:
    assert set(BEGINS) == set(NAMES)
    assert len({form.media_type for form in FORMATS}) == len({form.ending for form in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize("accept", [None, "*/*", "text/html, */*;q=0.1", "application/*", ""])
def test_whoever_prefers_nothing_gets_json(client: FlaskClient, job_id: str, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get(f"/v1/jobs/{job_id}/result", headers=headers)
    assert answer.json == RESULT and answer.headers["Content-Disposition"].startswith("inline")


def test_the_name_counts_more_than_accept(client: FlaskClient, job_id: str) -> None:
    answer = client.get(f"/v1/jobs/{job_id}/result?format=text", headers={"Accept": "application/pdf"})
    assert answer.mimetype == "text/plain" and answer.text == "你好 world\n"


@pytest.mark.parametrize(
    ("query", "headers", "refused"),
    [
        ("?format=docx", {}, (422, "invalid_option")),
        ("?format=pdf&layout=true", {}, (422, "invalid_option")),
        ("?pdfa=true", {}, (422, "invalid_option")),
        ("?form=pdf", {}, (422, "unknown_option")),
        ("", {"Accept": "image/png"}, (406, "not_acceptable")),
    ],
)
def test_what_cannot_be_given_is_refused_with_a_way_out(
    client: FlaskClient, job_id: str, query: str, headers: dict[str, str], refused: tuple[int, str]
) -> None:
    answer = client.get(f"/v1/jobs/{job_id}/result{query}", headers=headers)
    assert (answer.status_code, answer.json["code"]) == refused
    assert answer.json["detail"].count(".") >= 2


def test_choices_reach_the_format(client: FlaskClient, job_id: str) -> None:
    assert b"pdfaid" in client.get(f"/v1/jobs/{job_id}/result?format=pdf&pdfa=true").data
    assert client.get(f"/v1/jobs/{job_id}/result?format=text&layout=true").text == "你好 world\n"


@pytest.mark.parametrize("name", NAMES)
def test_without_a_result_or_without_its_upload_nothing_is_made_up(
    client: FlaskClient, parts: Parts, job_id: str, name: str
) -> None:
    waiting = str(client.post("/v1/jobs", data=png(9, 9)).json["id"])
    answer = client.get(f"/v1/jobs/{waiting}/result?format={name}")
    assert (answer.status_code, answer.json["code"]) == (409, "no_result")
    with parts.database.read() as connection:
        job = jobs.get(connection, job_id)
    assert job is not None
    parts.blobs.discard(job.sha256, lambda: False)
    answer = client.get(f"/v1/jobs/{job_id}/result?format={name}")
    assert answer.status_code == (410 if name == "pdf" else 200)
    if name == "pdf":
        assert answer.json["code"] == "document_missing"


def test_a_document_of_many_pages_becomes_a_zip_where_a_file_holds_one(client: FlaskClient, parts: Parts) -> None:
    found = str(client.post("/v1/jobs", data=png(64, 32)).json["id"])
    end(parts, found, PAGES)
    answer = client.get(f"/v1/jobs/{found}/result?format=page")
    assert (answer.mimetype, answer.headers["Content-Disposition"]) == (
        "application/zip", f'attachment; filename="{found}.zip"',
    )  # fmt: skip
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{found}-0001.page.xml", f"{found}-0002.page.xml"]
    assert client.get(f"/v1/jobs/{found}/result?format=alto").text.count("<Page ") == 2


def batch_of(client: FlaskClient, count: int) -> dict[str, Any]:
    files = [(io.BytesIO(png(16 + number, 16)), f"{number}.png") for number in range(count)]
    answer: dict[str, Any] = client.post("/v1/batches", data={"file": files}).json
    return answer


@pytest.mark.parametrize("name", NAMES)
def test_the_results_of_a_batch_are_a_zip_with_a_summary(client: FlaskClient, parts: Parts, name: str) -> None:
    batch = batch_of(client, 4)
    first, second, third, fourth = (job["id"] for job in batch["jobs"])
    address = batch["links"]["results"]
    assert (client.get(address).status_code, client.get(address).json["code"]) == (409, "no_result")
    end(parts, first, RESULT)
    end(parts, second, PAGES)
    client.post(f"/v1/jobs/{third}/cancel")
    client.delete(f"/v1/jobs/{fourth}")
    answer = client.get(f"{address}?format={name}")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    ending = BY_NAME[name].ending
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        summary = json.loads(archive.read("batch.json"))
        assert archive.read(names[0]).startswith(BEGINS[name])
    rows = [(row["id"], row["state"], row["files"]) for row in summary["jobs"]]
    second_files = [f"0002-{second}-000{page}.{ending}" for page in (1, 2)]
    if name != "page":
        second_files = [f"0002-{second}.{ending}"]
    if name == "pdf":  # its upload has one page only, so the second cannot be shown: the others come all the same
        second_files = []
        assert summary["jobs"][1]["error"]["code"] == "corrupt_image"
    assert rows == [(first, "succeeded", [f"0001-{first}.{ending}"]), (second, "succeeded", second_files),
                    (third, "cancelled", [])]  # fmt: skip
    assert names == [*(file for _, _, files in rows for file in files), "batch.json"]
    assert (summary["id"], summary["format"], summary["counts"]["deleted"]) == (batch["id"], name, 1)


def test_the_zip_of_a_batch_is_made_while_it_is_sent(client: FlaskClient, parts: Parts) -> None:
    batch = batch_of(client, 30)
    for job in batch["jobs"]:
        finish(parts, job["id"])
    answer = client.get(f"{batch['links']['results']}?format=pdf", buffered=False)
    portions = list(answer.response)
    assert len(portions) >= 30 and answer.content_length is None
    with zipfile.ZipFile(io.BytesIO(b"".join(portions))) as archive:
        assert len(archive.namelist()) == 31


def test_a_key_sees_results_of_its_own_batches_and_who_sees_anothers_is_on_record(parts: Parts) -> None:
    with parts.database.write() as connection:
        _, mine = keys.create(connection, name="mine", scopes=[Scope.SUBMIT, Scope.READ], actor=OPERATOR)
        _, other = keys.create(connection, name="other", scopes=[Scope.READ], actor=OPERATOR)
        _, auditor = keys.create(connection, name="auditor", scopes=[Scope.READ, Scope.AUDIT], actor=OPERATOR)
    client = app_of(parts).test_client()
    files = {"file": [(io.BytesIO(png(16, 16)), "a.png")]}
    batch = client.post("/v1/batches", data=files, headers={"X-API-Key": mine}).json
    (job,) = batch["jobs"]
    finish(parts, job["id"])
    address = batch["links"]["results"]
    assert client.get(address, headers={"X-API-Key": other}).status_code == 404
    for key, events in ((mine, 0), (auditor, 1)):
        answer = client.get(address, headers={"X-API-Key": key})
        assert answer.status_code == 200 and zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
        with parts.database.read() as connection:
            found = [event.event for event in trail.list_events(connection, job_id=job["id"])]
        assert found.count(trail.Event.READ) == events
