"""What people say that a line holds, beside what was read."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from api.formats.table import NAMES
from api.service.parts import Parts
from shared import keys
from shared.audit import trail
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from shared.tables import corrections
from tests.unit.api.conftest import RESULT, finish, png

READ = RESULT["text"]


@pytest.fixture
def job_id(client: FlaskClient, parts: Parts) -> str:
    found = str(client.post("/v1/jobs", data=png()).get_json()["id"])
    finish(parts, found)
    return found


def correct(client: FlaskClient, job_id: str, before: str, after: str, **changes: Any) -> Any:
    body = {"page_number": 1, "line_number": 1, "before": before, "after": after, **changes}
    return client.post(f"/v1/jobs/{job_id}/corrections", json=body)


def test_a_correction_says_what_was_before_what_after_and_who_and_when(client: FlaskClient, job_id: str) -> None:
    answer = correct(client, job_id, str(READ), "你好 World")
    assert answer.status_code == 201
    (made,) = client.get(f"/v1/jobs/{job_id}/corrections").get_json()["corrections"]
    assert (made["before"], made["after"], made["client_ip"]) == (READ, "你好 World", "127.0.0.1")
    assert made["created_at"]


def test_the_read_text_stays_and_every_format_comes_with_or_without(client: FlaskClient, job_id: str) -> None:
    correct(client, job_id, str(READ), "你好 World")
    for name in NAMES:
        address = f"/v1/jobs/{job_id}/result?format={name}"
        with client.get(address) as plain, client.get(f"{address}&corrected=true") as corrected:
            assert (plain.status_code, corrected.status_code) == (200, 200), name
            assert plain.get_data() != corrected.get_data(), name
    assert client.get(f"/v1/jobs/{job_id}").get_json()["result"]["text"] == READ
    line = client.get(f"/v1/jobs/{job_id}/result?corrected=true").get_json()["pages"][0]["lines"][0]
    assert (line["text"], line["raw_text"]) == ("你好 World", READ)


def test_who_was_slower_is_told_and_overwrites_nothing(client: FlaskClient, job_id: str) -> None:
    correct(client, job_id, str(READ), "first")
    late = correct(client, job_id, str(READ), "second")
    assert (late.status_code, late.get_json()["code"]) == (409, "correction_conflict")
    assert late.get_json()["details"] == {"text": "first"}
    assert correct(client, job_id, "first", "second").status_code == 201
    assert client.get(f"/v1/jobs/{job_id}/result?format=text&corrected=true").get_data(as_text=True).strip() == "second"


def test_a_line_that_is_not_there_cannot_be_corrected(client: FlaskClient, job_id: str) -> None:
    assert correct(client, job_id, "", "x", line_number=2).get_json()["details"] == {"text": None}
    assert correct(client, job_id, "", "x", page_number=2).get_json()["details"] == {"text": None}


@pytest.mark.parametrize("wrong", [{"after": "a\nb"}, {"after": 3}, {"line_number": 0}, {"other": 1}])
def test_nonsense_is_refused(client: FlaskClient, job_id: str, wrong: dict[str, Any]) -> None:
    assert correct(client, job_id, **{"before": str(READ), "after": "x", **wrong}).status_code == 422


def test_a_job_without_a_result_has_nothing_to_correct(client: FlaskClient) -> None:
    job_id = client.post("/v1/jobs", data=png()).get_json()["id"]
    assert correct(client, job_id, "a", "b").get_json()["code"] == "no_result"


def test_it_is_in_the_audit_trail_and_goes_with_the_job(client: FlaskClient, parts: Parts, job_id: str) -> None:
    correct(client, job_id, str(READ), "secret")
    client.delete(f"/v1/jobs/{job_id}")
    with parts.database.read() as connection:
        assert connection.execute(corrections.select()).all() == []
        assert trail.has_event(connection, job_id, trail.Event.CORRECTED)


def test_who_may_only_send_is_not_told_what_a_line_holds(client: FlaskClient, parts: Parts) -> None:
    with parts.database.write() as connection:
        _, text = keys.create(connection, name="sends", scopes=[Scope.SUBMIT], actor=OPERATOR)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {text}"
    job_id = str(client.post("/v1/jobs", data=png()).get_json()["id"])
    finish(parts, job_id)
    assert client.get(f"/v1/jobs/{job_id}/result").status_code == 403
    guess = correct(client, job_id, "a guess", "anything")
    assert (guess.status_code, guess.get_json()["details"]) == (409, {"text": None})
