"""How often a client may ask, counted in memory: the broker is not there. With one: tests/e2e/test_limits.py."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.access.limits import storage_of
from api.app import app_of
from api.http.facts import of_routes
from api.service.parts import Parts
from shared import keys
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from shared.settings import Settings
from tests.unit.api.conftest import png

UPLOADS = {"POST /v1/jobs", "POST /v1/batches", "POST /api/ocr"}
ITEM = re.compile(r'"([a-z0-9-]+)"((?:;[a-z]+=\d+)+)')


def members(value: str) -> dict[str, dict[str, int]]:
    """A list of strings with integer parameters (RFC 9651), as both headers are."""
    items = [ITEM.fullmatch(item) for item in value.split(", ")]
    assert all(items), value
    return {
        item[1]: {name: int(number) for name, number in re.findall(r";([a-z]+)=(\d+)", item[2])}
        for item in items
        if item
    }


@pytest.fixture
def limited(parts: Parts) -> Callable[..., FlaskClient]:
    """A client of a server with these limits, to which everybody is welcome."""

    def limited(**limits: Any) -> FlaskClient:
        changes = {"allow_remote_without_keys": True, **limits}
        return app_of(replace(parts, settings=parts.settings.model_copy(update=changes))).test_client()

    return limited


def submit(client: FlaskClient, peer: str = "192.0.2.1", **more: Any) -> TestResponse:
    return client.post("/v1/jobs", data=png(), environ_overrides={"REMOTE_ADDR": peer}, **more)


def test_without_limits_nobody_hears_of_them(client: FlaskClient) -> None:
    answer = client.post("/v1/jobs", data=png())
    assert answer.status_code == 202
    assert not {"RateLimit", "RateLimit-Policy"} & set(answer.headers.keys())


def test_the_limits_of_the_original_service_hold_by_address(limited: Callable[..., FlaskClient]) -> None:
    client = limited(submit_limit_per_ip="10/minute;100/hour")
    answers = [submit(client) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429] * 2
    first, last = answers[0], answers[-1]
    policy = {"submit-ip-60": {"q": 10, "w": 60}, "submit-ip-3600": {"q": 100, "w": 3600}}
    assert members(first.headers["RateLimit-Policy"]) == policy
    state = members(first.headers["RateLimit"])
    assert (state["submit-ip-60"]["r"], state["submit-ip-3600"]["r"]) == (9, 99)
    assert 0 < state["submit-ip-60"]["t"] <= 60 < state["submit-ip-3600"]["t"] <= 3600
    assert (last.json["code"], last.json["retryable"]) == ("rate_limited", True)
    assert last.json["details"]["violated_policies"] == ["submit-ip-60"]
    state = members(last.headers["RateLimit"])
    assert state["submit-ip-60"]["r"] == 0
    assert int(last.headers["Retry-After"]) == last.json["details"]["retry_after_seconds"]
    assert abs(int(last.headers["Retry-After"]) - state["submit-ip-60"]["t"]) <= 1
    assert submit(client, "192.0.2.2").status_code == 202, "another address has limits of its own"


def test_what_was_refused_by_the_minute_does_not_count_for_the_hour(limited: Callable[..., FlaskClient]) -> None:
    client = limited(submit_limit_per_ip="2/minute;100/hour")
    last = [submit(client) for _ in range(9)][-1]
    assert last.status_code == 429
    assert members(submit(client, "192.0.2.2").headers["RateLimit"])["submit-ip-3600"]["r"] == 99


def test_an_ipv6_network_counts_as_one_client(limited: Callable[..., FlaskClient]) -> None:
    client = limited(submit_limit_per_ip="1/minute")
    peers = ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    assert [submit(client, peer).status_code for peer in peers] == [202, 429, 202]


def test_asking_for_a_result_costs_no_submission(limited: Callable[..., FlaskClient]) -> None:
    client = limited(submit_limit_per_ip="2/minute", other_limit_per_ip="3/minute")
    peer = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}
    job = submit(client).json
    answers = [client.get(job["links"]["self"], **peer) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert members(answers[0].headers["RateLimit-Policy"]) == {"other-ip-60": {"q": 3, "w": 60}}
    assert submit(client).status_code == 202
    assert submit(client).status_code == 429
    assert client.get("/healthz", **peer).status_code == 200
    assert client.get("/nothing/here", **peer).status_code == 404


def test_all_ways_to_submit_count_together(limited: Callable[..., FlaskClient]) -> None:
    client = limited(submit_limit_per_ip="3/minute")
    peer = {"environ_overrides": {"REMOTE_ADDR": "192.0.2.1"}}
    submit(client)
    client.post("/v1/batches", data={"file": [(io.BytesIO(png()), "a.png")]}, **peer)
    client.post("/api/ocr", json={"image": "x"}, **peer)  # refused for another reason, and counted
    makes = {route: facts for route, facts in of_routes(client.application) if facts is not None and facts.makes_work}
    assert {route for route, facts in makes.items() if facts.is_page} == {"POST /"}
    assert client.post("/", **peer).status_code == 429
    submissions = {route for route, facts in makes.items() if not facts.is_page}
    assert submissions == {*UPLOADS, "POST /v1/jobs/retry", "POST /v1/jobs/<job_id>/retry"}
    for route in sorted(submissions):
        method, _, path = route.partition(" ")
        assert client.open(path, method=method, **peer).status_code == 429, route


def test_a_batch_counts_as_many_as_it_holds(limited: Callable[..., FlaskClient], parts: Parts) -> None:
    client = limited(submit_limit_per_ip="5/minute")

    def send(count: int) -> TestResponse:
        files = [(io.BytesIO(png(8 + number, 8)), "a.png") for number in range(count)]
        peer = {"REMOTE_ADDR": "192.0.2.1"}
        return client.post("/v1/batches", data={"file": files}, environ_overrides=peer)

    answer = send(3)
    assert (answer.status_code, members(answer.headers["RateLimit"])["submit-ip-60"]["r"]) == (202, 2)
    answer = send(3)
    assert (answer.status_code, answer.json["code"]) == (429, "rate_limited")
    assert len([path for path in parts.settings.blobs_dir.rglob("*") if path.is_file()]) == 3
    assert send(1).status_code == 202, "what was refused counted as the one request that it was"


def test_a_key_has_limits_of_its_own_wherever_it_is_used(limited: Callable[..., FlaskClient], parts: Parts) -> None:
    with parts.database.write() as connection:
        texts = [keys.create(connection, name=name, scopes=[Scope.SUBMIT], actor=OPERATOR)[1] for name in "ab"]
    client = limited(submit_limit_per_key="2/minute", submit_limit_per_ip="3/minute")
    one, other = ({"headers": {"X-API-Key": text}} for text in texts)
    assert [submit(client, f"192.0.2.{number}", **one).status_code for number in range(3)] == [202, 202, 429]
    answer = submit(client, "192.0.2.0", **other)
    assert answer.status_code == 202
    assert set(members(answer.headers["RateLimit"])) == {"submit-key-60", "submit-ip-60"}
    assert submit(client, "192.0.2.9").status_code == 401
    assert "RateLimit" not in submit(client, "192.0.2.9").headers


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://broker.example:6379/2", "redis://broker.example:6379/2"),
        ("rediss://:secret@broker.example/0", "rediss://:secret@broker.example/0"),
        ("redis+socket:///run/x/broker.sock?virtual_host=0", "redis+unix:///run/x/broker.sock?db=0"),
        ("amqp://guest@rabbit.example//", "memory://"),
        ("sentinel://a:26379;sentinel://b:26379", "memory://"),
        (None, "memory://"),
    ],
)
def test_requests_are_counted_in_the_broker_where_it_can(url: str | None, expected: str) -> None:
    assert storage_of(url)[0] == expected


@pytest.mark.parametrize("text", ["10/fortnight", "many", "-1/minute", "10"])
def test_a_limit_that_is_none_is_refused_at_the_start(text: str) -> None:
    from shared import errors

    with pytest.raises(errors.InvalidConfiguration, match="OCRELAY_OTHER_LIMIT_PER_KEY"):
        Settings.load(other_limit_per_key=text)
