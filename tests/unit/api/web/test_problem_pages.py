"""Errors as people meet them: in the frame of the pages, with the way out, in their language."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from api.service.parts import Parts
from api.web.page import POLICY
from shared import errors
from shared.keys.record import Scope
from tests.unit.api.conftest import png
from tests.unit.api.web.test_sign_in import make_key, signed_in, token_of

__all__ = ["signed_in"]

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
CHINESE = BROWSER | {"Accept-Language": "zh-CN"}
NOWHERE = ("/nowhere", "/jobs/job_01AAAAAAAAAAAAAAAAAAAAAAAA", "/batches/bat_x", "/jobs/nowhere/at/all")


def main_of(text: str) -> str:
    found = re.search(r"<main.*</main>", text, re.DOTALL)
    assert found is not None, "no frame"
    return found[0]


@pytest.mark.parametrize("path", NOWHERE)
def test_what_is_not_there_is_said_in_the_frame_with_the_way_out(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert '<a href="/audit"' in answer.text, "the list of pages"
    main = main_of(answer.text)
    assert 'href="/">Read</a>' in main and 'href="/jobs">Jobs</a>' in main
    assert answer.headers["X-Request-ID"] in main and "Try again" not in main


@pytest.mark.parametrize("path", NOWHERE)
def test_it_is_said_in_the_language_of_the_page(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=CHINESE)
    assert 'lang="zh-Hans"' in answer.text
    said = re.findall(r"<(?:h1|p)>(.*?)</", main_of(answer.text))
    assert said and not re.search("[a-z]", "".join(said)), said


def test_a_page_that_breaks_has_the_frame_too(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("api.service.listing.page_of", broken)
    answer = client.get("/jobs", headers=CHINESE)
    assert (answer.status_code, answer.headers["Content-Security-Policy"]) == (500, POLICY)
    assert "服务器出错了" in main_of(answer.text)


def test_without_its_database_a_page_still_says_so_in_the_frame(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise errors.DatabaseUnavailable(reason="secret-host")

    monkeypatch.setattr("api.access.key_ring.KeyRing.is_empty", away)
    for path, status in (("/jobs", 503), ("/nowhere", 404)):
        answer = client.get(path, headers=BROWSER)
        assert (answer.status_code, "secret-host" in answer.text) == (status, False)
        assert "Try again" in main_of(answer.text) or status == 404


def test_a_call_of_the_api_that_a_browser_makes_has_its_facts_and_no_frame(client: FlaskClient) -> None:
    answer = client.get("/v1/jobs/job_x", headers=CHINESE)
    assert answer.status_code == 404 and "<main" not in answer.text and "job_not_found" in answer.text


def test_who_is_signed_in_finds_the_pages_also_where_nothing_is_and_a_stranger_does_not(
    parts: Parts, signed_in: Callable[..., FlaskClient], client: FlaskClient
) -> None:
    assert make_key(parts, Scope.ADMIN)
    reader = signed_in(Scope.READ).get("/nowhere", headers=BROWSER).text
    assert '<a href="/jobs">' in reader and "/audit" not in reader and 'href="/">Read</a>' not in main_of(reader)
    assert '<a href="/jobs">' not in client.get("/nowhere", headers=BROWSER).text


def test_who_may_not_open_a_page_keeps_the_others_and_the_way_out(
    signed_in: Callable[..., FlaskClient],
) -> None:
    for path in ("/audit", "/keys", "/review"):
        answer = signed_in(Scope.READ).get(path, headers=BROWSER)
        assert answer.status_code == 403
        assert (
            '<a href="/jobs">Jobs</a>' in answer.text
            and "Sign out" in answer.text
            and '<a href="/keys"' not in answer.text
        )


def test_a_script_is_told_in_the_language_of_its_page_and_a_client_as_ever(client: FlaskClient) -> None:
    headers = {"Accept": "application/problem+json", "Accept-Language": "zh-CN", "X-CSRF-Token": token_of(client, "/")}
    told = client.post("/", data={}, headers=headers).get_json()
    assert (told["title_shown"], told["detail_shown"]) == ("未选择文件", "请选择一个文件，再发送。")
    assert told["detail"] == errors.MissingFile().message
    called = client.post("/v1/jobs", data=b"text", headers={"Accept-Language": "zh-CN"}).get_json()
    assert called["detail"] == errors.UnsupportedMediaType().message and "detail_shown" not in called


def test_what_an_error_says_in_particular_is_kept_where_it_can_be_read(client: FlaskClient) -> None:
    job_id = client.post("/v1/jobs", data=png()).get_json()["id"]
    particular = "The document has 1 pages."
    english = client.get(f"/jobs/{job_id}/pages/9.jpg", headers=BROWSER).text
    assert particular in english and particular not in client.get(f"/jobs/{job_id}/pages/9.jpg", headers=CHINESE).text


@pytest.mark.parametrize(
    ("headers", "onward"),
    [
        ({"Referer": "http://localhost/jobs?state=failed"}, "/jobs?state=failed"),
        ({"Referer": "http://evil.example/jobs"}, "/"),
        ({"Referer": "http://["}, "/"),
        ({}, "/"),
    ],
)
def test_to_try_a_change_again_leads_to_the_page_it_came_from(
    client: FlaskClient, headers: dict[str, str], onward: str
) -> None:
    form = {"csrf": token_of(client, "/"), "order": "nonsense", "job": "job_x"}
    answer = client.post("/jobs", data=form, headers=BROWSER | headers)
    assert answer.status_code == 422
    assert f'href="{onward}">Try again' in answer.text


def test_who_is_signed_out_under_a_page_comes_back_to_it(parts: Parts, client: FlaskClient) -> None:
    make_key(parts, Scope.READ)
    htmx = {"HX-Request": "true", "HX-Current-URL": "http://localhost/batches?before=x"}
    answer = client.get("/batches/bat_x", headers=BROWSER | htmx)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/sign-in?next=/batches?before%3Dx")
