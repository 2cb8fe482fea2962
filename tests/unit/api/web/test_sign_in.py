"""Signing in: a key becomes a session, which ends; a change needs a page of this visitor."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import app_of
from api.service.parts import Parts
from shared import keys
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from shared.tables import sessions

HTML = {"Accept": "text/html"}


def token_of(client: FlaskClient, path: str = "/sign-in") -> str:
    found = re.search(r'name="form-token" content="(\w+)"', client.get(path).get_data(as_text=True))
    assert found is not None
    return found[1]


def make_key(parts: Parts, *scopes: Scope) -> tuple[str, str]:
    with parts.database.write() as connection:
        key, text = keys.create(connection, name="test", scopes=scopes, actor=OPERATOR)
    return key.id, text


def enter(client: FlaskClient, key: str, **more: str) -> TestResponse:
    return client.post("/sign-in", data={"csrf": token_of(client), "key": key, **more}, headers=HTML)


@pytest.fixture
def signed_in(parts: Parts) -> Callable[..., FlaskClient]:
    def sign_in(*scopes: Scope) -> FlaskClient:
        client = app_of(parts).test_client()
        assert enter(client, make_key(parts, *scopes)[1]).status_code == 303
        return client

    return sign_in


def test_a_key_becomes_a_cookie_that_no_script_and_no_other_site_gets(parts: Parts) -> None:
    client = app_of(parts).test_client()
    key_id, text = make_key(parts, Scope.READ, Scope.SUBMIT)
    asked = client.get("/jobs", headers=HTML)
    assert (asked.status_code, asked.headers["Location"]) == (303, "/sign-in?next=/jobs")
    token_of(client)
    before = client.get_cookie("ocrelay_session")
    answer = enter(client, text, next="/jobs")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/jobs")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and text not in cookie
    after = client.get_cookie("ocrelay_session")
    assert before is not None and after is not None and before.value != after.value
    assert client.get("/jobs", headers=HTML).status_code == 200
    with parts.database.read() as connection:
        (stored,) = connection.execute(sessions.select()).all()
        events = [(one.event, one.key_id) for one in trail.list_events(connection)]
    assert after.value not in tuple(stored) and stored.key_id == key_id
    assert ("session.opened", key_id) in events


def test_behind_tls_the_cookie_travels_by_tls_alone(parts: Parts) -> None:
    client = app_of(parts).test_client()
    make_key(parts, Scope.READ)
    answer = client.get("/sign-in", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]


def test_a_wrong_key_is_refused_and_too_many_are_not_looked_at(parts: Parts) -> None:
    client = app_of(parts).test_client()
    make_key(parts, Scope.READ)
    assert enter(client, "nonsense").status_code == 401
    for _ in range(parts.settings.wrong_keys_per_minute):
        last = enter(client, "nonsense")
    assert last.status_code == 429


def test_signing_out_ends_it_for_whoever_holds_the_cookie(signed_in: Callable[..., FlaskClient]) -> None:
    client = signed_in(Scope.READ)
    cookie = client.get_cookie("ocrelay_session")
    assert cookie is not None
    client.post("/sign-out", data={"csrf": token_of(client, "/jobs")})
    client.set_cookie("ocrelay_session", cookie.value)
    assert client.get("/jobs", headers=HTML).status_code == 303


def test_a_revoked_key_ends_its_sessions(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.access.key_ring.REFRESH_SECONDS", 0.0)
    client = app_of(parts).test_client()
    key_id, text = make_key(parts, Scope.READ)
    enter(client, text)
    assert client.get("/jobs", headers=HTML).status_code == 200
    with parts.database.write() as connection:
        keys.revoke(connection, key_id, actor=OPERATOR)
    assert client.get("/jobs", headers=HTML).status_code == 303


def test_a_session_that_stands_idle_ends(parts: Parts, signed_in: Callable[..., FlaskClient]) -> None:
    client = signed_in(Scope.READ)
    with parts.database.write() as connection:
        old = "2020-01-01 00:00:00.000"
        connection.exec_driver_sql(f"UPDATE sessions SET last_used_at = '{old}'")
    answer = client.get("/jobs", headers={"Accept": "application/problem+json"})
    assert answer.get_json()["code"] == "not_signed_in"


def test_a_change_needs_the_token_of_a_page_of_this_visitor(signed_in: Callable[..., FlaskClient]) -> None:
    client, other = signed_in(Scope.ADMIN), signed_in(Scope.ADMIN)
    for data in ({}, {"csrf": "x"}, {"csrf": token_of(other, "/jobs")}):
        answer = client.post("/sent/clear", data=data, headers={"Accept": "application/problem+json"})
        assert (answer.status_code, answer.get_json()["code"]) == (403, "stale_form")
    assert client.post("/sent/clear", data={"csrf": token_of(client, "/jobs")}).status_code == 303


def test_what_a_key_may_not_do_is_neither_offered_nor_done(signed_in: Callable[..., FlaskClient]) -> None:
    client = signed_in(Scope.READ)
    assert client.get("/").headers["Location"] == "/jobs"
    text = client.get("/jobs").get_data(as_text=True)
    assert "/review" not in text
    answer = client.post("/", data={"csrf": token_of(client, "/jobs")})
    assert answer.status_code == 403


def test_a_key_in_a_header_opens_no_page_and_a_cookie_no_call(
    parts: Parts, signed_in: Callable[..., FlaskClient]
) -> None:
    client = signed_in(Scope.ADMIN)
    assert client.get("/v1/jobs").status_code == 401
    text = make_key(parts, Scope.ADMIN)[1]
    bare = app_of(parts).test_client()
    assert bare.get("/jobs", headers={"Authorization": f"Bearer {text}", **HTML}).status_code == 303


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:1", ""])
def test_nobody_is_led_away(parts: Parts, address: str) -> None:
    client = app_of(parts).test_client()
    assert enter(client, make_key(parts, Scope.READ)[1], next=address).headers["Location"] == "/"


def test_language_and_colours_are_kept(client: FlaskClient) -> None:
    assert 'lang="zh-Hans"' in client.get("/", headers={"Accept-Language": "zh-CN,en;q=0.5"}).get_data(as_text=True)
    client.post(
        "/preferences", data={"csrf": token_of(client, "/"), "language": "zh", "theme": "dark", "next": "/jobs"}
    )
    text = client.get("/", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert 'lang="zh-Hans" data-theme="dark"' in text and "从图片读取文字" in text
