"""Webhook endpoints and deliveries over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from api.app import app_of
from api.service.parts import Parts
from shared import jobs
from shared.audit import trail
from shared.webhooks import deliveries
from shared.webhooks.record import Outcome
from shared.webhooks.targets import Guard
from tests.unit.api.conftest import finish, png

URL = "https://hooks.example/a"
ENDPOINTS = "/v1/webhook-endpoints"


@pytest.fixture
def parts(parts: Parts) -> Iterator[Parts]:
    """Names of the example domain are public, everything else is as the system says."""
    known = {"hooks.example": ["93.184.216.34"], "intranet.example": ["10.0.0.7"]}
    yield replace(parts, guard=Guard((), lambda host, _port: known.get(host, [host])))


@pytest.fixture
def client(parts: Parts) -> FlaskClient:
    return app_of(parts).test_client()


def create(client: FlaskClient, **wanted: Any) -> dict[str, Any]:
    answer = client.post(ENDPOINTS, json={"url": URL, **wanted})
    assert answer.status_code == 201, answer.get_json()
    return dict(answer.get_json())


def planned(client: FlaskClient, parts: Parts, **options: str) -> dict[str, Any]:
    """The one delivery of a job that ended."""
    job = client.post("/v1/jobs", query_string=options, data=png()).get_json()
    finish(parts, job["id"])
    (delivery,) = client.get("/v1/deliveries", query_string={"job_id": job["id"]}).get_json()["deliveries"]
    return dict(delivery)


def attempt(parts: Parts, delivery_id: str, outcome: Outcome) -> None:
    """Do what the sweeper does."""
    with parts.database.write() as connection:
        (claimed,) = deliveries.claim(connection, [delivery_id], lease_seconds=30)
        deliveries.finish(connection, claimed, outcome)


def test_an_endpoint_is_made_with_a_secret_of_its_own(client: FlaskClient) -> None:
    answer = client.post(ENDPOINTS, json={"url": URL, "description": "会计", "event_types": ["job.failed"]})
    made = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{ENDPOINTS}/{made['id']}"
    assert (made["url"], made["description"], made["event_types"], made["enabled"]) == (
        URL,
        "会计",
        ["job.failed"],
        True,
    )
    prefix, _, encoded = made["secret"].partition("_")
    assert prefix == "whsec"
    assert 24 <= len(base64.b64decode(encoded)) <= 64, "as the standard has it"
    seen = client.get(f"{ENDPOINTS}/{made['id']}").get_json()
    assert seen == {name: value for name, value in made.items() if name != "secret"}
    assert client.get(f"{ENDPOINTS}/{made['id']}/secret").get_json() == {
        "secret": made["secret"],
        "secrets": [made["secret"]],
    }


def test_the_list_begins_with_the_built_in_endpoint(client: FlaskClient) -> None:
    made = create(client)
    listed = client.get(ENDPOINTS).get_json()["endpoints"]
    assert [endpoint["id"] for endpoint in listed] == ["ep_jobs", made["id"]]
    assert client.get(f"{ENDPOINTS}/ep_jobs/secret").get_json()["secret"].startswith("whsec_")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"url": "ftp://hooks.example/"}, "invalid_webhook_url"),
        ({"url": "https://a:b@hooks.example/"}, "invalid_webhook_url"),
        ({"url": "http://127.0.0.1/"}, "invalid_webhook_url"),
        ({"url": "http://intranet.example/"}, "invalid_webhook_url"),
        ({"url": "http://[::ffff:10.0.0.1]/"}, "invalid_webhook_url"),
        ({"url": ""}, "invalid_option"),
        ({}, "invalid_option"),
        ({"url": URL, "event_types": ["job.started"]}, "invalid_option"),
        ({"url": URL, "event_types": "job.failed"}, "invalid_option"),
        ({"url": URL, "description": "x" * 201}, "invalid_option"),
        ({"url": URL, "events": []}, "unknown_option"),
        ([], "not_an_object"),
    ],
)
def test_what_is_no_endpoint_is_refused_and_nothing_is_stored(client: FlaskClient, body: Any, code: str) -> None:
    answer = client.post(ENDPOINTS, json=body)
    assert answer.get_json()["code"] == code
    assert answer.status_code == 422
    assert len(client.get(ENDPOINTS).get_json()["endpoints"]) == 1


def test_an_endpoint_is_changed_piece_by_piece(client: FlaskClient) -> None:
    path = f"{ENDPOINTS}/{create(client, description='a')['id']}"
    assert client.patch(path, json={"event_types": ["job.failed"]}).get_json()["event_types"] == ["job.failed"]
    off = client.patch(path, json={"enabled": False, "description": None}).get_json()
    assert (off["enabled"], off["disabled_reason"], off["description"]) == (False, "operator", None)
    assert off["disabled_at"] is not None
    on = client.patch(path, json={"enabled": True, "url": "https://hooks.example/b"}).get_json()
    assert (on["enabled"], on["disabled_at"], on["url"]) == (True, None, "https://hooks.example/b")
    assert client.patch(path, json={}).get_json() == on
    assert client.patch(path, json={"url": "http://10.1.1.1/"}).get_json()["code"] == "invalid_webhook_url"
    assert client.patch(path, json={"url": None}).get_json()["code"] == "invalid_option"
    assert client.get(path).get_json() == on


def test_a_deleted_endpoint_is_gone_and_its_deliveries_are_cancelled(client: FlaskClient, parts: Parts) -> None:
    endpoint = create(client)
    delivery = planned(client, parts)
    assert client.delete(f"{ENDPOINTS}/{endpoint['id']}").status_code == 204
    assert client.delete(f"{ENDPOINTS}/{endpoint['id']}").get_json()["code"] == "endpoint_not_found"
    seen = client.get(f"/v1/deliveries/{delivery['id']}").get_json()
    assert (seen["state"], seen["reason"]) == ("cancelled", "endpoint_deleted")
    again = client.post(f"/v1/deliveries/{delivery['id']}/redeliver")
    assert (again.status_code, again.get_json()["code"]) == (404, "endpoint_not_found")


def test_a_rotated_secret_signs_beside_the_old_one(client: FlaskClient) -> None:
    made = create(client)
    rotated = client.post(f"{ENDPOINTS}/{made['id']}/rotate-secret")
    secrets = rotated.get_json()
    assert rotated.headers["Cache-Control"] == "no-store"
    assert secrets["secrets"] == [secrets["secret"], made["secret"]]
    assert client.post(f"{ENDPOINTS}/ep_jobs/rotate-secret").status_code == 200


def test_the_built_in_endpoint_cannot_be_changed_deleted_or_pinged(client: FlaskClient) -> None:
    path = f"{ENDPOINTS}/ep_jobs"
    for answer in (client.patch(path, json={"enabled": False}), client.delete(path), client.post(f"{path}/ping")):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "endpoint_built_in")


def test_a_ping_is_a_delivery_of_its_own(client: FlaskClient) -> None:
    endpoint = create(client, event_types=["job.failed"])
    answer = client.post(f"{ENDPOINTS}/{endpoint['id']}/ping")
    ping = answer.get_json()
    assert (answer.status_code, ping["event_type"], ping["state"]) == (202, "ping", "queued")
    seen = client.get(answer.headers["Location"]).get_json()
    assert (seen["payload"]["type"], seen["attempts"]) == ("ping", [])
    client.patch(f"{ENDPOINTS}/{endpoint['id']}", json={"enabled": False})
    assert client.post(f"{ENDPOINTS}/{endpoint['id']}/ping").get_json()["code"] == "endpoint_disabled"


def test_no_call_ignores_what_it_does_not_know(client: FlaskClient) -> None:
    path = f"{ENDPOINTS}/{create(client)['id']}"
    answers = [
        client.post(f"{ENDPOINTS}?x=1", json={"url": URL}),
        client.patch(f"{path}?x=1", json={}),
        client.delete(f"{path}?x=1"),
        client.post(f"{path}/ping?x=1"),
        client.post(f"{path}/rotate-secret?x=1"),
        client.post(f"/v1/deliveries/dlv_{'0' * 26}/redeliver?x=1"),
    ]
    assert [answer.get_json()["code"] for answer in answers] == ["unknown_option"] * 6


@pytest.mark.parametrize("name", ["nobody", "ep_" + "0" * 26, "ep_%00", "a" * 500])
def test_an_unknown_endpoint_is_not_found(client: FlaskClient, name: str) -> None:
    path = f"{ENDPOINTS}/{name}"
    answers = [client.get(path), client.patch(path, json={}), client.delete(path), client.get(f"{path}/secret")]
    answers += [client.post(f"{path}/rotate-secret"), client.post(f"{path}/ping")]
    assert {(answer.status_code, answer.get_json()["code"]) for answer in answers} == {(404, "endpoint_not_found")}


@pytest.mark.parametrize("name", ["nobody", "dlv_" + "0" * 26, "dlv_%00"])
def test_an_unknown_delivery_is_not_found(client: FlaskClient, name: str) -> None:
    for answer in (client.get(f"/v1/deliveries/{name}"), client.post(f"/v1/deliveries/{name}/redeliver")):
        assert (answer.status_code, answer.get_json()["code"]) == (404, "delivery_not_found")


def test_the_log_shows_every_attempt(client: FlaskClient, parts: Parts) -> None:
    create(client)
    delivery = planned(client, parts, reference="r")
    assert (delivery["state"], delivery["attempt"]) == ("queued", 0)
    assert delivery["due_at"] is not None
    outcome = Outcome(status=500, answer="后端出错", address="93.184.216.34", duration_ms=40)
    attempt(parts, delivery["id"], outcome)
    client.post(f"/v1/deliveries/{delivery['id']}/redeliver")
    attempt(parts, delivery["id"], Outcome(status=200, answer="ok", duration_ms=7))
    seen = client.get(f"/v1/deliveries/{delivery['id']}").get_json()
    assert (seen["state"], seen["attempt"], seen["due_at"]) == ("succeeded", 2, None)
    assert seen["payload"]["data"]["reference"] == "r"
    first, second = seen["attempts"]
    assert (first["number"], first["status"], first["answer"]) == (1, 500, "后端出错")
    assert (first["address"], first["duration_ms"], first["error"]) == ("93.184.216.34", 40, None)
    assert (second["number"], second["status"], second["answer"]) == (2, 200, "ok")
    with parts.database.read() as connection:
        events = [event.event for event in trail.list_events(connection, job_id=delivery["job_id"])]
    assert events[:2] == ["delivery.succeeded", "delivery.redelivered"]


def test_a_delivery_that_ended_can_be_sent_again_but_not_one_under_way(client: FlaskClient, parts: Parts) -> None:
    endpoint = create(client)
    delivery = planned(client, parts)
    with parts.database.write() as connection:
        (claimed,) = deliveries.claim(connection, [delivery["id"]], lease_seconds=30)
    path = f"/v1/deliveries/{delivery['id']}/redeliver"
    running = client.post(path)
    assert (running.status_code, running.get_json()["code"]) == (409, "delivery_running")
    with parts.database.write() as connection:
        deliveries.finish(connection, claimed, Outcome(status=410))
    disabled = client.post(path)
    assert (disabled.status_code, disabled.get_json()["code"]) == (409, "endpoint_disabled")
    client.patch(f"{ENDPOINTS}/{endpoint['id']}", json={"enabled": True})
    again = client.post(path)
    assert (again.status_code, again.get_json()["state"], again.get_json()["id"]) == (202, "queued", delivery["id"])


def test_deliveries_are_listed_newest_first_and_page_by_page(client: FlaskClient, parts: Parts) -> None:
    endpoint = create(client)
    made = [planned(client, parts)["id"] for _ in range(3)][::-1]
    first = client.get("/v1/deliveries?limit=2").get_json()
    assert [delivery["id"] for delivery in first["deliveries"]] == made[:2]
    second = client.get("/v1/deliveries", query_string={"limit": 2, "cursor": first["next_cursor"]}).get_json()
    assert [delivery["id"] for delivery in second["deliveries"]] == made[2:]
    assert second["next_cursor"] is None
    attempt(parts, made[0], Outcome(status=200))
    for filters, expected in (
        ({"state": "succeeded"}, made[:1]),
        ({"state": "queued"}, made[1:]),
        ({"endpoint_id": endpoint["id"]}, made),
        ({"endpoint_id": "ep_jobs"}, []),
        ({"event_type": "job.failed"}, []),
    ):
        found = client.get("/v1/deliveries", query_string=filters).get_json()["deliveries"]
        assert [delivery["id"] for delivery in found] == expected, filters
    assert client.get("/v1/deliveries?cursor=x").get_json()["code"] == "invalid_cursor"
    assert client.get("/v1/deliveries?status=x").get_json()["code"] == "unknown_option"


def test_a_job_brings_a_url_of_its_own(client: FlaskClient, parts: Parts) -> None:
    delivery = planned(client, parts, webhook=URL)
    assert (delivery["endpoint_id"], delivery["url"], delivery["event_type"]) == ("ep_jobs", URL, "job.succeeded")


@pytest.mark.parametrize(
    "url",
    ["", "hooks.example", "ftp://hooks.example/", "https://u:p@hooks.example/", "http://127.0.0.1:8000/",
     "http://intranet.example/", "http://169.254.169.254/latest", "http://[::1]/", "http://hooks.example/#x"],
)  # fmt: skip
def test_a_job_with_a_url_that_cannot_be_is_refused_before_anything_is_stored(
    client: FlaskClient, parts: Parts, url: str
) -> None:
    answer = client.post("/v1/jobs", query_string={"webhook": url}, data=png())
    assert answer.status_code == 422
    assert answer.get_json()["code"] == ("invalid_webhook_url" if url else "invalid_option")
    with parts.database.read() as connection:
        assert jobs.list_jobs(connection) == []
    assert not parts.settings.blobs_dir.exists() or not [p for p in parts.settings.blobs_dir.rglob("*") if p.is_file()]


def test_answers_have_the_shape_that_the_document_states(client: FlaskClient, parts: Parts) -> None:
    document = client.get("/openapi.json").get_json()
    endpoint = create(client)
    delivery = planned(client, parts)
    attempt(parts, delivery["id"], Outcome(status=500, answer="x"))
    for path, template in (
        (ENDPOINTS, ENDPOINTS),
        (f"{ENDPOINTS}/{endpoint['id']}", ENDPOINTS + "/{endpoint_id}"),
        (f"{ENDPOINTS}/{endpoint['id']}/secret", ENDPOINTS + "/{endpoint_id}/secret"),
        ("/v1/deliveries", "/v1/deliveries"),
        (f"/v1/deliveries/{delivery['id']}", "/v1/deliveries/{delivery_id}"),
    ):
        stated = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema = {**stated, "components": document["components"]}
        Draft202012Validator(schema).validate(client.get(path).get_json())
