"""What a scrape of /metrics costs beside many jobs, and how quickly the sweeper counts, next to a plain `SELECT 1`.

    python -m tests.bench.scrape [--jobs 1000000] [--queued 10000]

The jobs have ended, each with three audit events; so many more wait. Times are those of the questions to the database,
without HTTP. The machine's other work disturbs them; the ratio to `SELECT 1` of the same run says more.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from api.service import gauges
from shared.audit import tallies
from shared.database import Database
from shared.migrations import migrate
from shared.settings import Settings
from shared.telemetry import logs
from tests.services import postgres_server

ROUNDS = 30
JOB = """
    INSERT INTO jobs (id, state, priority, attempt, max_attempts, created_at, started_at, finished_at, published_at,
                      publish_count, sha256, media_type, size_bytes, page_count, width, height, options, timings_ms)
    SELECT 'job_' || {number}, '{state}', n - n / 3 * 3, 1, 4, {now}, {now}, {finished}, {now}, 1, 'ab', 'image/png',
           1, 1, 1, 1, '{{}}', '{{"queue": 12.5, "decode": 3, "preprocess": 9, "lines": 41, "recognition": 210}}'
    FROM {numbers}
"""
EVENT = """
    INSERT INTO audit_events (occurred_at, event, actor, job_id, attempt, confidence, model)
    SELECT {now}, e.event, 'n/1', 'job_' || {number}, 1, 0.97, 'crnn-zh-en'
    FROM {numbers} CROSS JOIN (SELECT 'job.submitted' AS event UNION ALL SELECT 'job.claimed'
                               UNION ALL SELECT 'job.succeeded') AS e
"""


def fill(database: Database, first: int, count: int, state: str, *, events: bool) -> None:
    """Add jobs, and their events, with SQL alone."""
    if database.is_sqlite:
        more = f"SELECT n + 1 FROM s WHERE n < {first + count - 1}"
        numbers = f"(WITH RECURSIVE s(n) AS (SELECT {first} UNION ALL {more}) SELECT n FROM s) AS s"
        number, now = "printf('%026d', n)", "'2026-01-01 00:00:00.000'"
    else:
        numbers = f"generate_series({first}, {first + count - 1}) AS s(n)"
        number, now = "lpad(n::text, 26, '0')", "now() - interval '1 hour'"
    finished = now if state == "succeeded" else "NULL"
    given = {"numbers": numbers, "number": number, "now": now}
    with database.write() as connection:
        connection.exec_driver_sql(JOB.format(state=state, finished=finished, **given))
        if events:
            connection.exec_driver_sql(EVENT.format(**given))


def measure(do: Callable[[], object]) -> tuple[float, float]:
    """Median and 95 % in milliseconds."""
    spent = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        do()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent), sorted(spent)[int(ROUNDS * 0.95)]


def run(name: str, database: Database, job_count: int, queued_count: int) -> None:
    def select_one() -> None:
        with database.read() as connection:
            connection.execute(text("SELECT 1"))

    fill(database, 1, job_count, "succeeded", events=True)
    fill(database, job_count + 1, queued_count, "queued", events=False)
    if not database.is_sqlite:
        with database.write() as connection:
            connection.exec_driver_sql("ANALYZE")
    started, counted = time.perf_counter(), 0
    while portion := tallies.advance(database):
        counted += portion
    rate = counted / (time.perf_counter() - started)
    plain, scrape = measure(select_one), measure(lambda: gauges.read(database))
    times = f"{plain[0]:.2f} / {plain[1]:.2f} | {scrape[0]:.2f} / {scrape[1]:.2f} | {scrape[0] / plain[0]:.0f}"
    print(f"| {name} | {job_count} | {queued_count} | {times} | {rate:.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a scrape costs beside many jobs.")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--queued", type=int, default=10_000)
    args = parser.parse_args()
    logs.set_up(Settings.load(log_level="WARNING"))
    print("| database | jobs | waiting | SELECT 1, ms, median / 95 % | scrape, ms | ratio | events counted / s |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        urls = {"PostgreSQL": server.new_database(), "SQLite": f"sqlite:///{Path(folder) / 'ocrelay.sqlite3'}"}
        for name, url in urls.items():
            database = Database(url)
            migrate(database)
            run(name, database, args.jobs, args.queued)
            database.close()


if __name__ == "__main__":
    main()
