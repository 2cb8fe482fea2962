"""A million audit events on PostgreSQL: every filter's pages beside `SELECT 1`, seals, the check, exports, numbers.

    python -m tests.bench.audit [--events 1000000]

Pages, numbers and exports go through the HTTP application, without a socket. Export and check run in a process of their
own each, whose memory is measured at 10,000 events and at all of them.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import text

from api.app import app_of
from api.service.parts import Parts
from api.service.waiting import Waiting
from shared import queue
from shared.audit import verify
from shared.audit.chain import Sealer
from shared.database import Database
from shared.migrations import migrate
from shared.settings import Settings
from shared.telemetry import logs
from shared.uploads.blobs import Blobs
from tests import audit_rows
from tests.services import postgres_server

EVENTS = "/v1/audit/events"
NO_BROKER = "redis://127.0.0.1:1/0"
SMALL = 10_000


def filters(begin: str, middle: str) -> dict[str, dict[str, Any]]:
    """Filters that fit much, little and nothing, alone and together."""
    return {
        "none": {},
        "limit=200": {"limit": 200},
        "from the middle on": {"from": middle},
        "until the middle": {"until": middle},
        "a month": {"from": begin, "until": middle},
        "event, a third of all": {"event": "job.claimed"},
        "event, one of 600": {"event": "job.failed"},
        "event, five of all": {"event": "endpoint.created"},
        "event, none": {"event": "job.cancelled"},
        "state": {"state": "failed"},
        "job": {"job": "job_" + "1234".zfill(26)},
        "job, none": {"job": "job_" + "z" * 26},
        "sha256, none": {"sha256": "ab" * 32},
        "key": {"key": "key3"},
        "key, none": {"key": "other"},
        "subject": {"subject": "ep_1"},
        "address": {"ip": "10.1.2.9"},
        "address, none": {"ip": "192.0.2.1"},
        "/24": {"ip": "10.1.2.0/24"},
        "/16": {"ip": "10.1.0.0/16"},
        "/8, nearly all": {"ip": "10.0.0.0/8"},
        "/8, none": {"ip": "11.0.0.0/8"},
        "IPv6 /32": {"ip": "2001:db8::/32"},
        "model": {"model": "crnn-zh-en"},
        "model, none": {"model": "other"},
        "model and its oldest version": {"model": "crnn-zh-en", "model_version": "20260"},
        "model and version, none": {"model": "crnn-zh-en", "model_version": "1"},
        "confidence from 0.9": {"confidence_from": 0.9},
        "confidence, a thousandth": {"confidence_from": 0.31, "confidence_until": 0.311},
        "confidence, none": {"confidence_until": 0.2},
        "key and state": {"key": "key3", "state": "failed"},
        "key and /16 and event": {"key": "key3", "ip": "10.1.0.0/16", "event": "job.failed"},
        "event of five and /8": {"event": "endpoint.created", "ip": "10.0.0.0/8"},
        "a month and state": {"from": begin, "until": middle, "state": "failed"},
        "a month and /24": {"from": begin, "until": middle, "ip": "10.1.2.0/24"},
        "two thirds each, together none": {"event": "job.claimed", "model": "crnn-zh-en"},
        "event and state, together none": {"event": "job.claimed", "state": "queued"},
        "event and confidence, together none": {"event": "job.submitted", "confidence_from": 0.5},
    }


def measure(name: str, call: Callable[[], object], count: int = 60) -> None:
    spent = []
    for _ in range(count):
        started = time.perf_counter()
        said = call()
        spent.append((time.perf_counter() - started) * 1000)
    spent.sort()
    print(f"| {name} | {statistics.median(spent):.1f} | {spent[int(count * 0.95)]:.1f} | {said} |", flush=True)


def pages(client: FlaskClient, database: Database, begin: str, middle: str) -> None:
    def select_1() -> str:
        with database.read() as connection:
            connection.execute(text("SELECT 1"))
        return ""

    print("| page of 50 | median ms | 95 % ms | events, and whether more may follow |\n|---|---|---|---|")
    measure("`SELECT 1`", select_1)
    for name, query in filters(begin, middle).items():
        cursors: list[str | None] = [None]

        def next_page(query: dict[str, Any] = query, cursors: list[str | None] = cursors) -> str:
            """Page after page, and again from the first."""
            given = query if cursors[-1] is None else query | {"cursor": cursors[-1]}
            answer = client.get(EVENTS, query_string=given)
            assert answer.status_code == 200, answer.json
            cursors.append(answer.json["next_cursor"])
            return f"{len(answer.json['events'])}{' +' if cursors[-1] else ''}"

        measure(name, next_page)
    measure("`SELECT 1` again", select_1)


def numbers(client: FlaskClient, begin: str) -> None:
    print("| numbers | median ms | 95 % ms | events |\n|---|---|---|---|")
    measure("of 7 days", lambda: client.get("/v1/audit/stats").json["event_count"], 10)
    year = {"from": begin, "until": f"{int(begin[:4]) + 1}{begin[4:]}"}
    measure("of a year", lambda: client.get("/v1/audit/stats", query_string=year).json["event_count"], 5)


def alone(url: str, what: str, most: int) -> None:
    """In a process of its own: export or check, then say how long it took and how much memory there was at most."""
    database = Database(url)
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if what == "verify":
        count, report = 0, verify.verify(database)
        while report.following is not None and count < most:
            count += report.event_count
            report = verify.verify(database, first=report.following)
        assert report.broken is None
        count += report.event_count
    else:
        client = client_of(database, Path(tempfile.gettempdir()))
        client.get(EVENTS)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        answer = client.get(EVENTS, query_string={"format": what}, buffered=False)
        count = 0
        for piece in answer.response:
            count += piece.count(b"\n") if isinstance(piece, bytes) else piece.count("\n")
            if count >= most:
                break
        answer.close()
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"| {what} | {count} | {seconds:.1f} | {before / 1024:.0f} | {after / 1024:.0f} |", flush=True)
    database.close()


def client_of(database: Database, folder: Path) -> FlaskClient:
    settings = Settings.load(data_dir=folder, redis_url=NO_BROKER)
    celery = queue.create_app(settings, NO_BROKER, role="client")
    return app_of(Parts(settings, database, Blobs(settings.blobs_dir), celery, Waiting(database))).test_client()


def main() -> None:
    parser = argparse.ArgumentParser(description="A million audit events on PostgreSQL.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--alone", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    logs.set_up(Settings.load(log_level="WARNING"))
    if args.alone:
        alone(*args.alone, args.events)
        return
    with tempfile.TemporaryDirectory() as folder, postgres_server(durable=True) as server:
        url = server.new_database()
        database = Database(url)
        migrate(database)
        begin, end = audit_rows.fill(database, args.events)
        moments = [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in (begin, begin + (end - begin) / 2)]
        client = client_of(database, Path(folder))
        pages(client, database, *moments)
        started = time.perf_counter()
        sealer, seals = Sealer(database), 0
        while sealer.seal():
            seals += 5
        print(f"\nSealed in {time.perf_counter() - started:.0f} s, about {seals} seals.\n")
        numbers(client, moments[0])
        print("\n| alone | events | seconds | MiB before | MiB at most |\n|---|---|---|---|---|", flush=True)
        for what in ("ndjson", "csv", "verify"):
            for most in (SMALL, args.events * 2):
                command = [sys.executable, "-m", "tests.bench.audit", "--events", str(most), "--alone", url, what]
                subprocess.run(command, check=True)
        database.close()


if __name__ == "__main__":
    main()
