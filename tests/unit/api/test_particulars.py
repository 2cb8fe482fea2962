"""What a client says of its job beside the document: file name, metadata, deadline; and orders for a whole batch."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.service.parts import Parts
from shared import jobs
from tests.unit.api.conftest import finish, png
from worker.sweep.sweeper import end_late_jobs

METADATA = {"customer": "17", "名": "发票"}


def test_they_come_back_with_the_job(client: FlaskClient) -> None:
    query = {"filename": "../a/b.png", "metadata": '{"customer": "17", "名": "发票"}', "deadline_seconds": "60"}
    job = client.post("/v1/jobs", data=png(), query_string=query).json
    again = client.get(job["links"]["self"]).json
    assert (again["filename"], again["metadata"]) == ("../a/b.png", METADATA)
    assert again["deadline_at"] > again["created_at"]
    form = {"file": (io.BytesIO(png()), "x.png"), "metadata": '{"customer": "17"}'}
    job = client.post("/v1/jobs", data=form).json
    assert (job["filename"], job["metadata"], job["deadline_at"]) == (None, {"customer": "17"}, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"filename": "x" * 256},
        {"metadata": "no json"},
        {"metadata": '{"a": 1}'},
        {"metadata": '{"a": "1", "a": "2"}'},
        {"metadata": '{"a": "' + "x" * 2000 + '"}'},
        {"metadata": "{" + ", ".join(f'"{n}": ""' for n in range(17)) + "}"},
        {"deadline_seconds": "0"},
        {"deadline_seconds": "soon"},
    ],
    ids=str,
)
def test_what_is_too_much_is_refused_and_nothing_is_stored(
    client: FlaskClient, parts: Parts, wrong: dict[str, Any]
) -> None:
    answer = client.post("/v1/jobs", data=png(), query_string=wrong)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_option")
    with parts.database.read() as connection:
        assert jobs.list_jobs(connection) == []


def test_halves_of_characters_are_no_metadata(client: FlaskClient) -> None:
    body = b'{"image": "%s", "metadata": {"\\ud800": "x"}}' % base64.b64encode(png())
    answer = client.post("/v1/jobs", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_option")


def test_a_job_past_its_deadline_fails_and_a_retry_has_none(client: FlaskClient, parts: Parts) -> None:
    late = client.post("/v1/jobs?deadline_seconds=1", data=png()).json["id"]
    client.post("/v1/jobs", data=png(9))
    assert end_late_jobs(parts.database) == []
    with parts.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE jobs SET deadline_at = '2020-01-01 00:00:00.000' WHERE deadline_at IS NOT NULL"
        )
    assert end_late_jobs(parts.database) == [late]
    job = client.get(f"/v1/jobs/{late}").json
    assert (job["state"], job["error"]["code"]) == ("failed", "deadline_exceeded")
    assert client.post(f"/v1/jobs/{late}/retry").json["deadline_at"] is None


def test_a_batch_is_fetched_in_one_call_and_cancelled_in_one(client: FlaskClient, parts: Parts) -> None:
    form = {"file": [(io.BytesIO(png(8 + number)), "x.png") for number in range(3)]}
    batch = client.post("/v1/batches", data=form).json
    ids = [job["id"] for job in batch["jobs"]]
    finish(parts, ids[1])
    found = client.get(f"/v1/batches/{batch['id']}/jobs").json["jobs"]
    assert [job["id"] for job in found] == ids
    assert [job["result"] and job["result"]["text"] for job in found] == [None, "你好 world", None]
    order = f"/v1/batches/{batch['id']}/cancel"
    assert client.post(order).json == {"cancelled": [ids[0], ids[2]]}
    assert client.post(order).json == {"cancelled": []}
    assert client.get(f"/v1/batches/{batch['id']}").json["is_finished"]
    for path in ("jobs", "cancel"):
        assert client.open(f"/v1/batches/bat_x/{path}", method="POST" if path == "cancel" else "GET").status_code == 404
