"""`/v1/audit`: pages, files, numbers and the check, as clients see them."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from sqlalchemy import delete, text

from api.service.parts import Parts
from api.service.trail.wire import defused
from shared import tables
from shared.audit import queries, trail
from shared.audit.actor import OPERATOR, Actor
from shared.audit.chain import Sealer
from tests.unit.api.conftest import finish, png

EVENTS = "/v1/audit/events"


@pytest.fixture
def job_id(client: FlaskClient, parts: Parts) -> str:
    job_id = str(client.post("/v1/jobs", data=png()).json["id"])
    finish(parts, job_id)
    return job_id


def names(client: FlaskClient, **query: object) -> list[str]:
    answer = client.get(EVENTS, query_string=query)
    assert answer.status_code == 200, answer.json
    return [event["event"] for event in answer.json["events"]]


def test_the_life_of_a_job_can_be_read(client: FlaskClient, job_id: str) -> None:
    page = client.get(EVENTS, query_string={"job": job_id}).json
    assert [event["event"] for event in page["events"]] == ["job.succeeded", "job.claimed", "job.submitted"]
    assert page["next_cursor"] is None
    end = page["events"][0]
    assert (end["actor"], end["client_ip"], end["outcome"]) == ("test/1", "127.0.0.1", "succeeded")
    assert (end["confidence"], end["min_confidence"]) == (0.9, 0.8)
    assert end["model"] == {"name": "m", "version": "1", "sha256": "0" * 64}
    assert end["duration_ms"] >= 0 and page["events"][1]["duration_ms"] is None
    assert end["occurred_at"].endswith("Z") and "text" not in end


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"event": "job.claimed"}, 1),
        ({"state": "succeeded"}, 1),
        ({"state": "failed"}, 0),
        ({"ip": "127.0.0.1"}, 3),
        ({"ip": "127.0.0.0/8"}, 3),
        ({"ip": "127.9.9.9/8"}, 3),
        ({"ip": "::ffff:127.0.0.0/104"}, 3),
        ({"ip": "192.0.2.0/24"}, 0),
        ({"ip": "::/0"}, 0),
        ({"model": "m"}, 1),
        ({"model": "m", "model_version": "2"}, 0),
        ({"key": "none"}, 0),
        ({"subject": "none"}, 0),
        ({"sha256": "0" * 64}, 0),
        ({"confidence_from": "0.9", "confidence_until": "0.9"}, 1),
        ({"confidence_until": "0.8"}, 0),
        ({"from": "2020-01-01"}, 3),
        ({"until": "2020-01-01T00:00:00Z"}, 0),
        ({"from": "2020-01-01T00:00:00 02:00"}, 3),
        ({"from": "2020-01-01", "event": "job.submitted", "ip": "127.0.0.1", "state": "queued"}, 1),
    ],
)
def test_filters_narrow(client: FlaskClient, job_id: str, query: dict[str, str], count: int) -> None:
    assert len(names(client, **query)) == count


@pytest.mark.parametrize(
    ("query", "code", "says"),
    [
        ({"status": "x"}, "unknown_option", "status"),
        ({"client_ip": "127.0.0.1"}, "unknown_option", "client_ip"),
        ({"ip": "192.0.2.0/33"}, "invalid_option", "192.0.2.0/24"),
        ({"ip": "host.example"}, "invalid_option", "address"),
        ({"ip": "\0"}, "invalid_option", "address"),
        ({"from": "yesterday"}, "invalid_option", "2026-11-21T08:30:00Z"),
        ({"from": "1700000000"}, "invalid_option", "time"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "invalid_option", "time"),
        ({"from": "2026-01-02", "until": "2026-01-01"}, "invalid_option", "earlier"),
        ({"from": "2026-01-01", "until": "2026-01-01"}, "invalid_option", "earlier"),
        ({"event": "job.exploded"}, "invalid_option", "job.failed"),
        ({"state": "pending"}, "invalid_option", "queued"),
        ({"job": "7"}, "invalid_option", "job"),
        ({"sha256": "AB"}, "invalid_option", "sha256"),
        ({"model": "a\0"}, "invalid_option", "model"),
        ({"confidence_from": "1.5"}, "invalid_option", "confidence_from"),
        ({"confidence_from": "nan"}, "invalid_option", "confidence_from"),
        ({"confidence_from": "0.9", "confidence_until": "0.1"}, "invalid_option", "confidence_until"),
        ({"limit": "0"}, "invalid_option", "limit"),
        ({"limit": "201"}, "invalid_option", "limit"),
        ({"format": "xml"}, "invalid_option", "format"),
        ({"format": "csv", "limit": "5"}, "invalid_option", "everything"),
        ({"format": "ndjson", "cursor": "1-1"}, "invalid_option", "everything"),
        ({"cursor": "x"}, "invalid_cursor", "first page"),
        ({"cursor": "9" * 30 + "-1"}, "invalid_cursor", "first page"),
        ({"cursor": "1-" + "9" * 30}, "invalid_cursor", "first page"),
        ({"cursor": "1-²"}, "invalid_cursor", "first page"),
    ],
)
def test_what_is_not_understood_is_refused(client: FlaskClient, query: dict[str, str], code: str, says: str) -> None:
    answer = client.get(EVENTS, query_string=query)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert says in answer.json["detail"]


def test_pages_follow_each_other(client: FlaskClient, job_id: str) -> None:
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(EVENTS, query_string={"limit": 2, **cursor}).json
        seen += [event["id"] for event in page["events"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [event["id"] for event in client.get(EVENTS).json["events"]] and len(seen) == 3


def test_an_export_holds_everything_as_lines_of_json(
    client: FlaskClient, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PORTION", 2)
    answer = client.get(EVENTS, query_string={"format": "ndjson"})
    assert answer.mimetype == "application/x-ndjson"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-events-2')
    assert answer.headers["Content-Disposition"].endswith('.ndjson"')
    lines = [json.loads(line) for line in answer.get_data(as_text=True).splitlines()]
    assert lines == client.get(EVENTS).json["events"]
    assert client.get(EVENTS, query_string={"format": "ndjson", "state": "failed"}).data == b""


def test_an_export_is_read_while_it_is_sent(
    client: FlaskClient, parts: Parts, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PORTION", 1)
    answer = client.get(EVENTS, query_string={"format": "ndjson"}, buffered=False)
    pieces = iter(answer.response)
    next(pieces)
    with parts.database.write() as connection:
        connection.execute(delete(tables.audit_events))
    assert list(pieces) == [], "what had not been read yet was not held in memory"
    answer.close()


def test_an_export_as_csv_opens_in_a_spreadsheet_and_runs_nothing(client: FlaskClient, parts: Parts) -> None:
    with parts.database.write() as connection:
        trail.record(
            connection, event="x", actor=Actor("worker", "=HYPERLINK(1)"), subject="-1", code='a,"b"', confidence=0.5
        )
        trail.record(connection, event="x", actor=Actor("worker", "@SUM(1)", address="\tx"), sha256="+1", attempt=-1)
    answer = client.get(EVENTS, query_string={"format": "csv"})
    assert answer.mimetype == "text/csv" and answer.headers["Content-Disposition"].endswith('.csv"')
    newest, oldest = csv.DictReader(io.StringIO(answer.get_data(as_text=True), newline=""))
    assert (newest["actor"], newest["client_ip"], newest["sha256"]) == ("'@SUM(1)", "'\tx", "'+1")
    assert newest["attempt"] == "-1", "a number is no formula"
    assert (oldest["actor"], oldest["subject"], oldest["code"]) == ("'=HYPERLINK(1)", "'-1", 'a,"b"')
    assert (oldest["confidence"], oldest["model"], oldest["id"]) == ("0.5", "", "1")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝"])
def test_each_beginning_of_a_formula_is_defused(start: str) -> None:
    assert defused(f"{start}1") == f"'{start}1"
    assert defused(-1.5) == -1.5 and defused(None) is None and defused("a=1") == "a=1"


def test_the_numbers_count_the_last_days(client: FlaskClient, job_id: str) -> None:
    numbers = client.get("/v1/audit/stats").json
    assert numbers["events"] == {"job.submitted": 1, "job.claimed": 1, "job.succeeded": 1}
    assert numbers["outcomes"] == {"succeeded": 1} and numbers["event_count"] == 3
    assert numbers["confidence"]["histogram"][9] == {"from": 0.9, "until": 1.0, "count": 1}
    assert numbers["models"] == [{"name": "m", "version": "1", "job_count": 1, "count": 1, "mean": 0.9, "min": 0.9}]
    assert numbers["slowest"][0]["job_id"] == numbers["least_certain"][0]["job_id"] == job_id
    assert numbers["chain"]["seal"] == 0 and numbers["unsealed_count"] == 3 and numbers["oldest_unsealed_at"]
    assert client.get("/v1/audit/stats?until=2020-01-01").json["event_count"] == 0


def test_a_model_that_was_added_with_its_version_and_activated_without_is_counted(
    client: FlaskClient, parts: Parts
) -> None:
    with parts.database.write() as connection:
        for event, model in (
            (trail.Event.MODEL_ADDED, {"name": "d", "version": "1"}),
            (trail.Event.MODEL_ACTIVATED, {"name": "d"}),
        ):
            trail.record(connection, event=event, actor=OPERATOR, model=model)
    found = client.get("/v1/audit/stats").json["models"]
    assert [(one["name"], one["version"]) for one in found] == [("d", None), ("d", "1")]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=2020-01-01", "366 days"),
        ("from=2999-01-01", "earlier"),
        ("until=x", "until"),
        ("limit=3", "limit"),
        ("until=1970-01-01T00:00:00Z", None),
        ("until=0001-01-02T00:00:00Z", "until"),
    ],
)
def test_a_span_that_cannot_be_counted_is_refused(client: FlaskClient, query: str, says: str | None) -> None:
    answer = client.get(f"/v1/audit/stats?{query}")
    assert answer.status_code == (200 if says is None else 422)
    assert says is None or says in answer.json["detail"]


def test_the_check_names_what_is_broken(client: FlaskClient, parts: Parts, job_id: str) -> None:
    assert client.get("/v1/audit/verify").json["chain"]["seal"] == 0
    Sealer(parts.database).seal()
    answer = client.get("/v1/audit/verify").json
    kept = answer["chain"]["hash"]
    assert (answer["valid"], answer["event_count"], answer["next_seal"], answer["broken"]) == (True, 3, None, None)
    assert client.get("/v1/audit/stats").json["chain"] == answer["chain"]
    with parts.database.write() as connection:
        connection.execute(text("DROP TRIGGER audit_events_no_update"))
        connection.execute(text("UPDATE audit_events SET client_ip = '127.0.0.2' WHERE id = 2"))
    answer = client.get(f"/v1/audit/verify?anchor={kept}").json
    assert (answer["valid"], answer["broken"]["problem"], answer["broken"]["event_id"]) == (False, "event_changed", 2)
    assert "changed" in answer["broken"]["message"]
    answer = client.get(f"/v1/audit/verify?anchor={'0' * 63}1").json
    assert answer["broken"]["problem"] == "anchor_missing"


@pytest.mark.parametrize("query", ["from_seal=0", "limit=0", "limit=100001", "anchor=x", "seal=1"])
def test_a_check_that_makes_no_sense_is_refused(client: FlaskClient, query: str) -> None:
    assert client.get(f"/v1/audit/verify?{query}").status_code == 422


def test_a_check_from_a_seal_that_is_not_there_says_which_are(client: FlaskClient) -> None:
    answer = client.get("/v1/audit/verify?from_seal=2")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert "the last has the number 0" in answer.json["detail"]


def test_answers_have_the_shape_that_the_document_states(client: FlaskClient, parts: Parts, job_id: str) -> None:
    Sealer(parts.database).seal()
    document = client.get("/openapi.json").json

    def check(path: str) -> None:
        stated = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        schema: dict[str, Any] = {**stated, "components": document["components"]}
        Draft202012Validator(schema).validate(client.get(path).json)

    for path in (EVENTS, "/v1/audit/stats", "/v1/audit/verify"):
        check(path)
    with parts.database.write() as connection:
        connection.execute(text("UPDATE audit_chain SET hash = 'x'"))
    check("/v1/audit/verify")
    stated = document["paths"][EVENTS]["get"]
    assert set(stated["responses"]["200"]["content"]) == {"application/json", "application/x-ndjson", "text/csv"}
    assert {"from", "until", "ip", "cursor"} <= {parameter["name"] for parameter in stated["parameters"]}


def test_the_jobs_of_each_hour_are_counted_and_the_actor_narrows(client: FlaskClient, job_id: str) -> None:
    (hour,) = client.get("/v1/audit/stats").json["hours"]
    assert hour.pop("hour").endswith(":00:00Z")
    assert hour == {"submitted": 1, "succeeded": 1, "failed": 0, "cancelled": 0}
    assert names(client, actor="test/1", job=job_id) == ["job.succeeded", "job.claimed"]
