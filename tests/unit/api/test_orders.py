"""Cancel, retry and delete by HTTP."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from api.service.parts import Parts
from shared import errors, jobs
from shared.audit import trail
from tests.unit.api.conftest import finish, png


@pytest.fixture
def job_id(client: FlaskClient) -> str:
    return str(client.post("/v1/jobs", data=png()).json["id"])


def claim(parts: Parts, job_id: str) -> str:
    with parts.database.write() as connection:
        job = jobs.claim(connection, job_id, owner="t/1", lease_seconds=30)
    assert job is not None and job.lease_token is not None
    return job.lease_token


def fail(parts: Parts, job_id: str) -> None:
    token = claim(parts, job_id)
    with parts.database.write() as connection:
        assert jobs.fail(connection, job_id, token, error=errors.TruncatedImage())


def blob_exists(parts: Parts, content: bytes) -> bool:
    return any(path.read_bytes() == content for path in parts.blobs.root.rglob("*") if path.is_file())


def events(parts: Parts, job_id: str) -> list[str]:
    with parts.database.read() as connection:
        return [event.event for event in reversed(trail.list_events(connection, job_id=job_id))]


def test_a_waiting_job_is_cancelled_at_once_and_twice_is_no_mistake(client: FlaskClient, job_id: str) -> None:
    for _ in range(2):
        answer = client.post(f"/v1/jobs/{job_id}/cancel")
        assert (answer.status_code, answer.json["state"], answer.json["error"]["code"]) == (
            200,
            "cancelled",
            "job_cancelled",
        )
    assert client.get(f"/v1/jobs/{job_id}/result").json["code"] == "no_result"


def test_a_running_job_is_cancelled_and_its_worker_refused(client: FlaskClient, parts: Parts, job_id: str) -> None:
    token = claim(parts, job_id)
    assert client.post(f"/v1/jobs/{job_id}/cancel").json["state"] == "cancelled"
    with parts.database.write() as connection:
        assert not jobs.succeed(connection, job_id, token, result={}, timings_ms={})


def test_a_job_that_has_ended_is_not_cancelled(client: FlaskClient, parts: Parts, job_id: str) -> None:
    finish(parts, job_id)
    answer = client.post(f"/v1/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json["code"], answer.json["details"]["state"]) == (
        409,
        "not_cancellable",
        "succeeded",
    )


def test_a_failed_job_is_tried_again_under_its_id(client: FlaskClient, parts: Parts, job_id: str) -> None:
    fail(parts, job_id)
    answer = client.post(f"/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json["state"], answer.json["error"]) == (202, "queued", None)
    assert answer.headers["Location"] == f"/v1/jobs/{job_id}"
    finish(parts, job_id)
    assert client.get(f"/v1/jobs/{job_id}").json["attempt"] == 2


def test_a_cancelled_job_is_tried_again(client: FlaskClient, job_id: str) -> None:
    client.post(f"/v1/jobs/{job_id}/cancel")
    assert client.post(f"/v1/jobs/{job_id}/retry").json["state"] == "queued"


@pytest.mark.parametrize("state", ["queued", "running", "succeeded"])
def test_only_a_job_that_failed_or_was_cancelled_is_tried_again(
    client: FlaskClient, parts: Parts, job_id: str, state: str
) -> None:
    if state != "queued":
        finish(parts, job_id) if state == "succeeded" else claim(parts, job_id)
    answer = client.post(f"/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json["code"], answer.json["details"]["state"]) == (409, "not_retryable", state)


def test_a_job_without_its_upload_is_not_tried_again(client: FlaskClient, parts: Parts, job_id: str) -> None:
    fail(parts, job_id)
    sha256 = client.get(f"/v1/jobs/{job_id}").json["document"]["sha256"]
    parts.blobs.path(sha256).unlink()
    answer = client.post(f"/v1/jobs/{job_id}/retry")
    assert (answer.status_code, answer.json["code"]) == (410, "document_missing")
    assert client.get(f"/v1/jobs/{job_id}").json["state"] == "failed"
    assert client.post("/v1/jobs/retry").json == {"retried": [], "document_missing": [job_id]}


def test_failed_jobs_are_tried_again_in_bulk(client: FlaskClient, parts: Parts) -> None:
    ids = [client.post(f"/v1/jobs?reference=r{n % 2}", data=png(8 + n, 8)).json["id"] for n in range(4)]
    for job_id in ids[:3]:
        fail(parts, job_id)
    answer = client.post("/v1/jobs/retry?reference=r0&code=truncated_image")
    assert (answer.status_code, set(answer.json["retried"])) == (202, {ids[0], ids[2]})
    assert client.post("/v1/jobs/retry?limit=1").json["retried"] == [ids[1]]
    assert client.post("/v1/jobs/retry").json["retried"] == []
    with parts.database.read() as connection:
        assert jobs.counts(connection)["queued"] == 4
    assert client.post("/v1/jobs/retry?state=failed").json["code"] == "unknown_option"


def test_jobs_without_upload_do_not_stand_in_the_way_of_the_others(client: FlaskClient, parts: Parts) -> None:
    jobs_ = [client.post("/v1/jobs", data=png(8 + n, 8)).json for n in range(3)]
    for job in jobs_:
        fail(parts, job["id"])
    for job in jobs_[:2]:
        parts.blobs.path(job["document"]["sha256"]).unlink()
    answer = client.post("/v1/jobs/retry?limit=1").json
    assert (answer["retried"], answer["document_missing"]) == ([jobs_[2]["id"]], [job["id"] for job in jobs_[:2]])


@pytest.mark.parametrize("state", ["queued", "running", "succeeded", "failed"])
def test_a_deleted_job_is_gone_with_upload_and_text_and_its_trail_stays(
    client: FlaskClient, parts: Parts, job_id: str, state: str
) -> None:
    {"queued": lambda *_: None, "running": claim, "succeeded": finish, "failed": fail}[state](parts, job_id)
    assert client.delete(f"/v1/jobs/{job_id}").status_code == 204
    for call in (client.get, client.delete):
        assert (call(f"/v1/jobs/{job_id}").status_code, call(f"/v1/jobs/{job_id}").json["code"]) == (410, "job_deleted")
    assert client.post(f"/v1/jobs/{job_id}/retry").status_code == 410
    assert client.get("/v1/jobs").json["jobs"] == []
    assert not blob_exists(parts, png())
    names = events(parts, job_id)
    assert (names[0], names[-1]) == (trail.Event.SUBMITTED, trail.Event.DELETED)
    assert (trail.Event.CANCELLED in names) == (state in ("queued", "running"))


def test_an_upload_stays_as_long_as_another_job_needs_it(client: FlaskClient, parts: Parts, job_id: str) -> None:
    other = client.post("/v1/jobs", data=png()).json["id"]
    client.delete(f"/v1/jobs/{job_id}")
    assert client.get(f"/v1/jobs/{other}/image").data == png()
    client.delete(f"/v1/jobs/{other}")
    assert not blob_exists(parts, png())


@pytest.mark.parametrize(("method", "path"), [("POST", "/cancel"), ("POST", "/retry"), ("DELETE", "")])
def test_an_order_for_a_job_that_never_was_answers_404(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(f"/v1/jobs/job_nosuch{path}", method=method)
    assert (answer.status_code, answer.json["code"]) == (404, "job_not_found")


def test_the_order_to_retry_many_jobs_is_no_job(client: FlaskClient) -> None:
    for method in ("GET", "DELETE"):
        answer = client.open("/v1/jobs/retry", method=method)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}
