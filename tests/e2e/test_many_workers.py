"""Two API processes and three workers on one PostgreSQL: no claim is won twice.

`OCRELAY_TEST_JOBS=2000` runs the full count; by default it is of a size for every run.
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from shared import jobs, workers
from shared.database import Database
from shared.settings import Settings
from tests.ports import free_port
from tests.services import BrokerServer, Process, wait_until
from tests.unit.api.conftest import png

JOBS = int(os.environ.get("OCRELAY_TEST_JOBS", "200"))
CLIENTS = 8
IMAGE = png(120, 40)

TWICE = (
    "SELECT job_id, attempt FROM audit_events WHERE event = 'job.claimed' GROUP BY job_id, attempt HAVING count(*) > 1"
)
ENDED_TWICE = "SELECT job_id FROM audit_events WHERE event = 'job.succeeded' GROUP BY job_id HAVING count(*) > 1"
FACTS = """
    SELECT (SELECT count(*) FROM jobs WHERE state = 'succeeded' AND attempt = 1),
           (SELECT count(*) FROM results),
           (SELECT count(*) FROM audit_events WHERE event = 'job.submitted'),
           (SELECT count(*) FROM audit_events WHERE event = 'job.claimed'),
           (SELECT count(*) FROM audit_events WHERE event = 'job.succeeded'),
           (SELECT count(*) FROM audit_events WHERE event NOT LIKE 'model.%')
"""


@pytest.fixture
def fleet(
    postgres_url: str, start_broker: Callable[[str], BrokerServer], tmp_path: Path, tiny_model_path: Path
) -> object:
    settings = Settings.load(
        data_dir=tmp_path / "data",
        database_url=postgres_url,
        redis_url=start_broker("redis-server").url,
        model=str(tiny_model_path),
        workers=1,
        api_processes=1,
    )
    ports = [free_port(), free_port()]
    started = [
        *(
            Process(settings.model_copy(update={"port": port}), "api", output=tmp_path / f"api-{port}.log")
            for port in ports
        ),
        *(
            Process(settings.model_copy(update={"node": f"node-{n}"}), "worker", output=tmp_path / f"worker-{n}.log")
            for n in range(3)
        ),
        Process(settings, "sweeper", output=tmp_path / "sweeper.log"),
    ]
    yield settings, ports
    for process in started:
        process.end()


def submit(port: int) -> str:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/jobs?layout=line&dedupe=false", data=IMAGE)
    request.add_header("Content-Type", "application/octet-stream")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(json.load(answer)["id"])


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
            return True
    except OSError:
        return False


def test_no_claim_is_won_twice(fleet: tuple[Settings, list[int]]) -> None:
    settings, ports = fleet
    database = Database(settings.database)

    def living() -> int:
        with database.read() as connection:
            return len({child.node for child in workers.live_children(connection)})

    wait_until(lambda: all(answers(port) for port in ports), seconds=120, what="both APIs")
    wait_until(lambda: living() == 3, seconds=120, what="three workers")
    with ThreadPoolExecutor(CLIENTS) as pool:
        ids = list(pool.map(submit, [ports[n % 2] for n in range(JOBS)]))

    def open_jobs() -> int:
        with database.read() as connection:
            counts = jobs.counts(connection)
        return counts["queued"] + counts["running"]

    wait_until(lambda: open_jobs() == 0, seconds=120 + JOBS, what="the end of every job")
    with database.read() as connection:
        assert connection.execute(text(TWICE)).all() == []
        assert connection.execute(text(ENDED_TWICE)).all() == []
        assert connection.execute(text(FACTS)).one() == (JOBS, JOBS, JOBS, JOBS, JOBS, 3 * JOBS)
        owners = connection.execute(text("SELECT DISTINCT split_part(owner, '/', 1) FROM jobs")).scalars().all()
    database.close()
    assert len(set(ids)) == JOBS
    assert len(owners) == 3, "all three had their share"
