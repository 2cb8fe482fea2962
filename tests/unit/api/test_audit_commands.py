"""`ocrelay audit` against a real server on a socket, and against a database alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from api.audit import commands
from api.audit.commands import audit as command
from api.service.parts import Parts
from shared.audit import chain, trail
from shared.audit.actor import OPERATOR, Actor
from shared.audit.chain import Sealer
from tests.unit.api.test_job_commands import server

__all__ = ["server"]


@pytest.fixture
def sealed(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Parts:
    """Seven events under four seals."""
    monkeypatch.setattr(chain, "BATCH", 2)
    with parts.database.write() as connection:
        for n in range(7):
            trail.record(
                connection, event=trail.Event.SUCCEEDED if n % 2 else trail.Event.CLAIMED,
                actor=Actor("worker", f"node/{n}", address="192.0.2.1"), job_id=f"job_{n}",
                confidence=n / 10 if n % 2 else None,
            )  # fmt: skip
    Sealer(parts.database).seal()
    return parts


def run(server: str, *arguments: str) -> Result:
    name, *rest = arguments
    return CliRunner().invoke(command, [name, "--server", server, *rest])


def test_events_are_listed_one_a_line_and_filtered(server: str, sealed: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "PAGE", 2)
    lines = run(server, "list").output.splitlines()
    assert [line.split()[0] for line in lines] == list("7654321")
    assert "job.succeeded  node/5  192.0.2.1  job_5  0.500" in lines[1]
    assert len(run(server, "list", "--limit", "3").output.splitlines()) == 3
    filters = ["--event", "job.succeeded", "--ip", "192.0.2.0/24", "--confidence-from", "0.2", "--from", "2020-01-01"]
    found = [json.loads(line) for line in run(server, "list", "--json", *filters).output.splitlines()]
    assert [event["id"] for event in found] == [6, 4]
    refused = run(server, "list", "--ip", "x")
    assert refused.exit_code == 1 and "192.0.2.0/24" in str(refused.exception)


def test_an_event_of_a_model_names_it(server: str, parts: Parts) -> None:
    with parts.database.write() as connection:
        for name in ("mine", None):
            told = {"name": name, "version": None, "sha256": None}
            activated = trail.Event.MODEL_ACTIVATED
            trail.record(connection, event=activated, actor=OPERATOR, model=told, subject="recogniser")
    settings, mine = run(server, "list").output.splitlines()
    assert mine.endswith("model.activated  operator  recogniser  mine")
    assert settings.endswith("model.activated  operator  recogniser")


def test_an_export_is_written_to_a_file(server: str, sealed: Parts, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    assert run(server, "export", "--format", "csv", "--event", "job.claimed", "--output", str(path)).exit_code == 0
    with path.open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["7", "5", "3", "1"]
    lines = io.StringIO(run(server, "export").output).readlines()
    assert [json.loads(line)["id"] for line in lines] == [7, 6, 5, 4, 3, 2, 1]


def test_numbers_are_printed_as_json(server: str, sealed: Parts) -> None:
    numbers = json.loads(run(server, "stats", "--from", "2020-06-01", "--until", "2020-07-01").output)
    assert numbers["event_count"] == 0 and numbers["chain"]["seal"] == 4
    assert json.loads(run(server, "stats").output)["event_count"] == 7


@pytest.mark.parametrize("place", [[], ["--local"]])
def test_a_check_goes_through_the_whole_chain_and_ends_with_1_where_it_is_broken(
    server: str, sealed: Parts, place: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCRELAY_DATABASE_URL", sealed.settings.database)
    whole = run(server, "verify", *place)
    assert whole.exit_code == 0, whole.output
    assert "4 seals and 7 events were checked" in whole.output
    with sealed.database.read() as connection:
        kept = chain.head(connection).hash
    assert kept in whole.output
    assert run(server, "verify", *place, "--anchor", kept).exit_code == 0
    assert run(server, "verify", *place, "--anchor", "0" * 63 + "1").exit_code == 1
    with sealed.database.write() as connection:
        connection.execute(text("DROP TRIGGER audit_events_no_delete"))
        connection.execute(text("DELETE FROM audit_events WHERE id = 5"))
    broken = run(server, "verify", *place)
    assert broken.exit_code == 1
    assert "BROKEN at event 5, seal 3: The event was sealed and is gone. (event_deleted)" in broken.output
