"""What a browser may do with answers: as little as possible."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from api.http.security_headers import HEADERS
from api.service.parts import Parts
from tests.unit.api.conftest import finish, png


@pytest.mark.parametrize(
    "path",
    [
        "/healthz",
        "/readyz",
        "/v1/jobs",
        "/v1/jobs/job_no",
        "/v1/webhook-endpoints",
        "/openapi.json",
        "/nowhere",
        "/docs",
    ],
)
def test_every_answer_carries_them(client: FlaskClient, path: str) -> None:
    answer = client.get(path)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE"])
def test_answers_to_other_methods_carry_them_too(client: FlaskClient, method: str) -> None:
    answer = client.open("/v1/jobs", method=method)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]


def test_results_and_documents_are_stored_nowhere(client: FlaskClient, parts: Parts) -> None:
    job_id = client.post("/v1/jobs", data=png()).get_json()["id"]
    finish(parts, job_id)
    for path in ("", "/result", "/result?format=text", "/image", "/events"):
        with client.get(f"/v1/jobs/{job_id}{path}") as answer:
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "no-store", path


def test_a_document_is_given_back_as_what_it_is_and_never_as_a_page(client: FlaskClient) -> None:
    polyglot = png() + b"<html><script>alert(1)</script>"
    job = client.post("/v1/jobs", data=polyglot, content_type="text/html").get_json()
    with client.get(job["links"]["image"]) as answer:
        assert answer.get_data() == polyglot
        assert answer.content_type == "image/png"
        assert answer.headers["Content-Disposition"] == f"attachment; filename={job['id']}.png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_transport_security_is_left_to_who_speaks_tls(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/healthz", base_url="https://localhost").headers
