"""What a job costs beside recognition: SQL statements, write transactions, milliseconds and CPU, on both databases.

    python -m tests.bench.overhead [--jobs 200]

Each step goes through the code that serves it: `submit` and `poll` through the HTTP application (without a socket and
without a broker), `claim` and `finish` as a worker does them. `write` counts transactions that were committed. CPU is
that of this process (the median of the lower half, for others on the machine only add to it), and below of
PostgreSQL's own.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import event
from sqlalchemy.engine import Engine, make_url

from api.app import app_of
from api.service.parts import Parts
from api.service.waiting import Waiting
from shared import jobs, queue, workers
from shared.database import Database, journal_mode
from shared.migrations import migrate
from shared.settings import Settings
from shared.telemetry import logs
from shared.uploads.blobs import Blobs
from tests.bench.cost import spent_ms
from tests.services import postgres_server
from tests.unit.api.conftest import RESULT, png

MODEL = {"name": "m", "version": "1", "sha256": "0" * 64}
NO_BROKER = "redis://127.0.0.1:1/0"
CONTROL = ("BEGIN", "PRAGMA")
WRITES = ("INSERT", "UPDATE", "DELETE")


class Count:
    """Statements and write transactions of this process."""

    def __init__(self) -> None:
        self.statements = self.writes = 0
        self._wrote = False
        event.listen(Engine, "before_cursor_execute", self._statement)
        event.listen(Engine, "commit", self._commit)

    def _statement(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(CONTROL):
            self.statements += 1
        self._wrote |= statement.lstrip().startswith(WRITES)

    def _commit(self, _connection: object) -> None:
        self.writes += self._wrote
        self._wrote = False


COUNT = Count()


class Steps:
    """What each step costs."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, list[float]] = defaultdict(list)
        self.cpu_ms: dict[str, list[float]] = defaultdict(list)
        self.statements: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        before, started, spent = (COUNT.statements, COUNT.writes), time.perf_counter(), time.process_time()
        yield
        self.cpu_ms[step].append((time.process_time() - spent) * 1000)
        self.milliseconds[step].append((time.perf_counter() - started) * 1000)
        self.statements[step][COUNT.statements - before[0], COUNT.writes - before[1]] += 1


def run(database: Database, folder: Path, count: int, *, key: str = "") -> Steps:
    settings = Settings.load(data_dir=folder, redis_url=NO_BROKER)
    celery = queue.create_app(settings, NO_BROKER, role="client")
    parts = Parts(settings, database, Blobs(settings.blobs_dir), celery, Waiting(database))
    client = app_of(parts).test_client()
    client.environ_base["HTTP_X_API_KEY"] = key
    steps = Steps()
    with database.write() as connection:  # a worker lives, so that the usual questions of a submission are asked
        workers.register(connection, node="bench", host="bench", pid=1, model=MODEL, reader_sha256="0" * 64)
    for number in range(count):
        celery.breaker.trip()
        content = png(8 + number, 8)
        with steps.measure("submit"):
            job_id = client.post("/v1/jobs", data=content).json["id"]
        with steps.measure("claim"), database.write() as connection:
            job = jobs.claim(connection, job_id, owner="bench/1", lease_seconds=30)
        assert job is not None
        with steps.measure("finish"), database.write() as connection:
            assert jobs.succeed(connection, job_id, str(job.lease_token), result=RESULT, timings_ms={})
        with steps.measure("poll"):
            assert client.get(f"/v1/jobs/{job_id}").json["state"] == "succeeded"
    return steps


def report(name: str, steps: Steps) -> None:
    total_ms, total_cpu, total = 0.0, 0.0, (0, 0)
    for step, spent in steps.milliseconds.items():
        ((statements, writes), _), *_ = steps.statements[step].most_common()
        median = statistics.median(spent)
        total_ms, total = total_ms + median, (total[0] + statements, total[1] + writes)
        slow = sorted(spent)[int(len(spent) * 0.95)]
        cpu = sorted(steps.cpu_ms[step])[len(spent) // 4]
        total_cpu += cpu
        print(f"| {name} | {step} | {statements} | {writes} | {median:.2f} | {slow:.2f} | {cpu:.2f} |")
    print(f"| {name} | **all** | {total[0]} | {total[1]} | {total_ms:.2f} | | {total_cpu:.2f} |")


def server_ms(url: str) -> float:
    """CPU time that the PostgreSQL server of a database has spent; 0 where there is none."""
    folder = str(make_url(url).query.get("host", ""))
    return sum(spent for kind, spent in spent_ms(folder).values() if kind == "PostgreSQL") if folder else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description="SQL statements and milliseconds of a job, without recognition.")
    parser.add_argument("--jobs", type=int, default=200)
    args = parser.parse_args()
    logs.set_up(Settings.load(log_level="WARNING"))
    print("| database | step | statements | write transactions | ms, median | ms, 95 % | ms of CPU |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder, postgres_server(durable=True) as server:
        urls = {
            f"SQLite, {journal_mode()}": f"sqlite:///{folder}/ocrelay.sqlite3",
            "PostgreSQL": server.new_database(),
        }
        for name, url in urls.items():
            database = Database(url)
            migrate(database)
            before = server_ms(url)
            report(name, run(database, Path(folder) / name, args.jobs))
            if before:
                print(f"| {name} | its own server | | | | | {(server_ms(url) - before) / args.jobs:.2f} |")
            database.close()


if __name__ == "__main__":
    main()
