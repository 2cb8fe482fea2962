"""Who was refused is in the audit trail, and a flood of refusals is not."""

from __future__ import annotations

from flask.testing import FlaskClient

from api.access.refusals import MOST, Ration
from api.service.parts import Parts
from shared import keys
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.audit.trail import AuditEvent
from shared.keys.record import Scope
from tests.unit.api.conftest import png


def refused(parts: Parts) -> list[AuditEvent]:
    with parts.database.read() as connection:
        return [one for one in trail.list_events(connection) if one.event == trail.Event.REFUSED]


def make_key(parts: Parts, scope: Scope) -> tuple[str, str]:
    with parts.database.write() as connection:
        key, text = keys.create(connection, name="test", scopes=[scope], actor=OPERATOR)
    return key.id, text


def test_who_came_without_a_key_is_noted(client: FlaskClient, parts: Parts) -> None:
    make_key(parts, Scope.READ)
    answer = client.get("/v1/jobs")
    (event,) = refused(parts)
    assert (event.code, event.actor, event.client_ip, event.outcome) == (
        "missing_key",
        "client",
        "127.0.0.1",
        "refused",
    )
    assert answer.headers["X-Request-ID"].startswith(str(event.subject))


def test_a_key_that_lacks_a_scope_is_named_and_so_is_the_scope(client: FlaskClient, parts: Parts) -> None:
    key_id, text = make_key(parts, Scope.READ)
    answer = client.post("/v1/jobs", data=png(), headers={"X-API-Key": text})
    assert answer.status_code == 403 and "`submit`" in answer.json["detail"]
    assert [(event.code, event.key_id) for event in refused(parts)] == [("missing_scope", key_id)]


def test_a_document_that_is_not_taken_is_noted(client: FlaskClient, parts: Parts) -> None:
    client.post("/v1/jobs", data=b"no picture")
    assert [event.code for event in refused(parts)] == ["unsupported_media_type"]
    client.get("/v1/jobs?limit=0")
    assert len(refused(parts)) == 1, "a wrong question is no try to send something"


def test_many_refusals_of_one_address_are_one_event(client: FlaskClient, parts: Parts) -> None:
    make_key(parts, Scope.READ)
    for _ in range(5):
        client.get("/v1/jobs")
    assert len(refused(parts)) == 1


def test_many_addresses_together_are_bounded_too() -> None:
    ration = Ration()
    assert sum(ration.allows(f"192.0.2.{number}", "missing_key") for number in range(250)) == MOST


def test_the_trail_is_searched_by_the_beginning_of_a_sha256(client: FlaskClient) -> None:
    sha256 = client.post("/v1/jobs", data=png()).json["document"]["sha256"]
    for start in (sha256[:4], sha256[:16], sha256):
        (event,) = client.get(f"/v1/audit/events?sha256={start}").json["events"]
        assert event["sha256"] == sha256
    other = sha256[:5] + ("0" if sha256[5] != "0" else "1")
    assert client.get(f"/v1/audit/events?sha256={other}").json["events"] == []
    assert client.get("/v1/audit/events?sha256=ab").status_code == 422
