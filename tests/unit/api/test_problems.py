"""Errors on the wire: one shape, a page for browsers, and the id of the request in all of them."""

from __future__ import annotations

import base64
import re

import pytest
from flask.testing import FlaskClient

from api.http import answers
from tests.unit.api.conftest import png

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", "application/problem+json", "text/html;q=0.1, */*", "text/plain"]
)
def test_a_problem_is_json_unless_html_is_preferred(client: FlaskClient, accept: str | None) -> None:
    answer = client.get("/nowhere", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
    assert answer.vary.to_header() == "Accept"
    problem = answers.Problem.model_validate(answer.json, strict=True)
    assert (problem.status, problem.code, problem.title, problem.instance) == (
        404,
        "not_found",
        "Not Found",
        "/nowhere",
    )
    assert problem.request_id == answer.headers["X-Request-ID"]


def test_a_browser_gets_the_same_facts_as_a_page_without_scripts(client: FlaskClient) -> None:
    answer = client.get("/v1/jobs?limit=<script>alert(1)</script>", headers={"Accept": BROWSER})
    problem = client.get("/v1/jobs?limit=<script>alert(1)</script>").json
    assert (answer.status_code, answer.mimetype) == (422, "text/html")
    assert "script" not in re.sub(r"&lt;/?script&gt;", "", answer.text)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for fact in ("422 Unprocessable", problem["code"], "/v1/jobs", answer.headers["X-Request-ID"], "limit"):
        assert fact in answer.text


def test_the_path_is_escaped_on_the_page(client: FlaskClient) -> None:
    answer = client.get("/<img src=x onerror=alert(1)>", headers={"Accept": BROWSER})
    assert "<img src=x" not in answer.text
    assert "&lt;img" in answer.text


def test_a_retryable_problem_says_when_to_come_again_also_on_the_page(client: FlaskClient) -> None:
    """No worker lives, so POST /api/ocr runs into its limit of two seconds."""
    body = {"image": base64.b64encode(png()).decode()}
    for accept in (BROWSER, "*/*"):
        answer = client.post("/api/ocr", json=body, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Retry-After"]) == (504, "2")
        assert answer.headers["Location"].rsplit("/", 1)[1] in answer.text


def test_head_has_the_head_of_the_answer_and_no_body(client: FlaskClient) -> None:
    for path, status in (("/nowhere", 404), ("/v1/jobs/job_x", 404), ("/healthz", 200)):
        answer = client.head(path)
        assert (answer.status_code, answer.data) == (status, b"")
        assert answer.headers["X-Request-ID"].startswith("req_")
        assert answer.mimetype == client.get(path).mimetype


def test_options_names_the_methods_and_nothing_is_done(client: FlaskClient) -> None:
    answer = client.options("/v1/jobs")
    assert (answer.status_code, answer.data) == (200, b"")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))
    assert client.options("/nowhere").json["code"] == "not_found"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
def test_a_method_that_an_address_does_not_take_is_refused_with_those_that_it_takes(
    client: FlaskClient, method: str
) -> None:
    answer = client.open("/v1/jobs", method=method)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert {"GET", "POST"} <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("given", ["a", "7f3c-1", "Root=1-67891233-abcdef", "x" * 64, "a/b+c=@:._-"])
def test_the_id_of_a_request_is_taken_over_where_it_is_harmless(client: FlaskClient, given: str) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": given})
    assert (answer.headers["X-Request-ID"], answer.json["request_id"]) == (given, given)
    assert client.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", " ", "x" * 65, "a b", "a,b", 'a"b', "a<b", "é", "a;b", "a\\b", "{}"])
def test_the_id_of_a_request_is_made_anew_where_it_is_not(client: FlaskClient, given: str) -> None:
    answer = client.get("/nowhere", headers={"X-Request-ID": given})
    assert re.fullmatch(r"req_[0-9a-z]{26}", answer.headers["X-Request-ID"])
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_two_ids_in_one_request_are_none(client: FlaskClient) -> None:
    answer = client.get("/healthz", headers=[("X-Request-ID", "a"), ("X-Request-ID", "b")])
    assert answer.headers["X-Request-ID"].startswith("req_")
