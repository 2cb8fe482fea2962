"""Over HTTP: the trail answers who ordered it, with which key, from where; and keys are the operator's doing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from api.app import app_of
from api.service.parts import Parts
from shared import errors, jobs, keys
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.keys import commands
from shared.keys.record import Scope
from tests.unit.api.conftest import finish, png

ENDPOINTS = "/v1/webhook-endpoints"
ELSEWHERE = "192.0.2.9"

Call = Callable[..., Any]


@pytest.fixture
def app_client(parts: Parts) -> FlaskClient:
    return app_of(parts).test_client()


@pytest.fixture
def holder(parts: Parts, app_client: FlaskClient) -> Callable[..., tuple[str, Call]]:
    """Make a key; return its id, and a call with it from an address."""

    def make(scope: Scope, address: str) -> tuple[str, Call]:
        with parts.database.write() as connection:
            key, text = keys.create(connection, name="test", scopes=[scope], actor=OPERATOR)

        def call(method: str, path: str, **more: Any) -> Any:
            headers = {"Authorization": f"Bearer {text}"}
            answer = app_client.open(
                path, method=method, headers=headers, environ_overrides={"REMOTE_ADDR": address}, **more
            )
            assert answer.status_code < 300, answer.get_data(as_text=True)
            return answer.json

        return key.id, call

    return make


@pytest.fixture
def admin(holder: Callable[..., tuple[str, Call]]) -> tuple[str, Call]:
    return holder(Scope.ADMIN, ELSEWHERE)


@pytest.fixture
def submitted(holder: Callable[..., tuple[str, Call]]) -> str:
    """A job of somebody else, from somewhere else."""
    _, call = holder(Scope.SUBMIT, "198.51.100.7")
    return str(call("POST", "/v1/jobs", data=png())["id"])


def who(parts: Parts, event: str) -> set[tuple[str, str | None, str | None]]:
    with parts.database.read() as connection:
        found = [one for one in trail.list_events(connection) if one.event == event]
    return {(one.actor, one.key_id, one.client_ip) for one in found}


def test_who_cancelled_retried_and_deleted_a_job(parts: Parts, admin: tuple[str, Call], submitted: str) -> None:
    key_id, call = admin
    call("POST", f"/v1/jobs/{submitted}/cancel")
    call("POST", f"/v1/jobs/{submitted}/retry")
    call("DELETE", f"/v1/jobs/{submitted}")
    for event in (trail.Event.CANCELLED, trail.Event.REQUEUED, trail.Event.DELETED):
        assert who(parts, event) == {("client", key_id, ELSEWHERE)}, event


def test_who_retried_all_that_failed(parts: Parts, admin: tuple[str, Call], submitted: str) -> None:
    key_id, call = admin
    with parts.database.write() as connection:
        job = jobs.claim(connection, submitted, owner="n/1", lease_seconds=30)
        assert job is not None
        assert jobs.fail(connection, submitted, str(job.lease_token), error=errors.CorruptImage())
    assert call("POST", "/v1/jobs/retry")["retried"] == [submitted]
    assert who(parts, trail.Event.REQUEUED) == {("client", key_id, ELSEWHERE)}


def test_who_read_anothers_result(parts: Parts, admin: tuple[str, Call], submitted: str) -> None:
    key_id, call = admin
    finish(parts, submitted)
    call("GET", f"/v1/jobs/{submitted}/result")
    assert who(parts, trail.Event.READ) == {("client", key_id, ELSEWHERE)}


def test_who_changed_an_endpoint(parts: Parts, admin: tuple[str, Call], submitted: str) -> None:
    key_id, call = admin
    own = f"{ENDPOINTS}/{call('POST', ENDPOINTS, json={'url': 'https://hooks.example/a'})['id']}"
    call("POST", f"/v1/jobs/{submitted}/cancel")
    for change in ({"description": "ours"}, {"enabled": False}, {"enabled": True}):
        call("PATCH", own, json=change)
    call("POST", f"{own}/rotate-secret")
    delivery = call("GET", "/v1/deliveries")["deliveries"][0]["id"]
    call("POST", f"/v1/deliveries/{delivery}/redeliver")
    call("DELETE", own)
    for event in (
        "endpoint.created", "endpoint.changed", "endpoint.disabled", "endpoint.secret_rotated", "endpoint.deleted",
        "delivery.redelivered", "delivery.cancelled",
    ):  # fmt: skip
        assert who(parts, event) == {("client", key_id, ELSEWHERE)}, event


def test_keys_on_the_command_line_are_the_operators_doing(parts: Parts) -> None:
    where = ["--data", str(parts.settings.data_dir)]

    def run(*arguments: str) -> None:
        ran = CliRunner().invoke(commands.keys, [*arguments, *where])
        assert ran.exit_code == 0, ran.output

    run("create", "scanner", "--scope", "submit")
    with parts.database.read() as connection:
        (key,) = keys.list_keys(connection)
    run("rotate", key.id)
    run("revoke", key.id)
    for event in (trail.Event.KEY_CREATED, trail.Event.KEY_ROTATED, trail.Event.KEY_REVOKED):
        assert who(parts, event) == {("operator", None, None)}, event
