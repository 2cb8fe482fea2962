"""What log lines look like, and what is kept out of them, as a process of its own prints them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import logging, sys, warnings
import structlog
from sqlalchemy import insert
from shared.telemetry import logs, trace
from shared.database import Database
from shared.settings import Settings
from shared.tables import results
from shared.telemetry.trace import Trace

logs.set_up(Settings.load(log_format=sys.argv[2]))
log = structlog.get_logger("ours")
log.info("A sentence.", event_name="some.event", number=7)
with trace.bound(Trace("order-7"), job_id="job_1", attempt=2):
    log.info("Inside.", event_name="inside")
logging.getLogger("library").error("from a %s", "library")
warnings.warn("careful")
try:
    with Database(sys.argv[1]).write() as connection:
        connection.execute(insert(results).values(job_id="job_1", created_at=None, document={"text": "杏花春雨江南"}))
except Exception as error:
    log.exception("It broke.", event_name="broken")
    logging.getLogger("celery.like").error("Task raised: %s", error)
"""


def run(url: str, form: str) -> str:
    command = [sys.executable, "-c", SCRIPT, url, form]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert ran.stdout == ""
    return ran.stderr


@pytest.fixture
def lines(database_url: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run(database_url, "json").splitlines()]


def test_each_line_is_one_object_with_sentence_event_level_and_time(lines: list[dict[str, Any]]) -> None:
    told = [(line["event"], line["message"], line["level"]) for line in lines]
    assert told[:3] == [
        ("some.event", "A sentence.", "info"),
        ("inside", "Inside.", "info"),
        ("library", "from a library", "error"),
    ]
    assert told[3][0] == "py.warnings" and "careful" in told[3][1]
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_what_is_bound_is_in_the_lines_of_its_block_alone(lines: list[dict[str, Any]]) -> None:
    assert {"request_id": "order-7", "job_id": "job_1", "attempt": 2}.items() <= lines[1].items()
    assert not {"request_id", "job_id", "attempt"} & lines[2].keys()


def test_the_traceback_of_a_sql_error_names_the_cause_and_none_of_its_values(lines: list[dict[str, Any]]) -> None:
    """PostgreSQL repeats the whole row below DETAIL, SQLAlchemy all parameters."""
    broken, like_celery = lines[4:]
    assert "NOT NULL" in broken["exception"].upper().replace("NOT-NULL", "NOT NULL")
    assert "IntegrityError" in broken["exception"] and "INSERT INTO results" in broken["exception"]
    for line in (broken, like_celery):
        assert "杏花" not in json.dumps(line, ensure_ascii=False)
        assert "DETAIL" not in json.dumps(line)


def test_the_console_has_no_text_of_documents_either(sqlite_url: str, postgres_url: str) -> None:
    for url in (sqlite_url, postgres_url):
        said = run(url, "console")
        assert "A sentence." in said and "some.event" in said
        assert "杏花" not in said
