"""Statements that PostgreSQL keeps prepared, and poolers, behind which it must not be asked to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import text

from shared import jobs
from shared.database import PREPARED_AFTER, Database
from shared.jobs import State, Submission
from tests import services

RESULT = {
    "text": "",
    "confidence": None,
    "min_confidence": None,
    "model": {"name": "crnn", "version": "2", "sha256": "cd" * 32},
    "pages": [],
}
KEPT = text("SELECT count(*) FROM pg_prepared_statements")
CLIENTS, JOBS_OF_EACH = 6, 3 * PREPARED_AFTER


def do_jobs(database: Database, submission: Submission) -> list[State]:
    """Jobs from their submission to their end, one after the other; how they ended."""
    ended = []
    for _ in range(JOBS_OF_EACH):
        with database.write() as connection:
            job = jobs.submit(connection, submission, max_attempts=3)
        with database.write(is_synced=False) as connection:
            claimed = jobs.claim(connection, job.id, owner="n/1", lease_seconds=30)
        assert claimed is not None
        with database.write() as connection:
            token = str(claimed.lease_token)
            assert jobs.succeed(connection, job.id, token, result=RESULT, timings_ms={"total": 1.0})
        with database.read() as connection:
            found = jobs.get(connection, job.id)
        assert found is not None
        ended.append(found.state)
    return ended


def threshold(url: str) -> int | None:
    """After how many times a connection asks the server to keep a statement; None: never."""
    database = Database(url, pool_size=1)
    with database.read() as connection:
        driver: Any = connection.connection.driver_connection
        found: int | None = driver.prepare_threshold
    database.close()
    return found


def test_the_server_keeps_what_a_connection_asks_again_and_again(postgres_url: str, submission: Submission) -> None:
    assert threshold(postgres_url) == PREPARED_AFTER
    database = Database(postgres_url, pool_size=1)
    do_jobs(database, submission)
    with database.read() as connection:
        assert connection.execute(KEPT).scalar_one() > 0
    database.close()


def test_behind_a_pooler_every_transaction_may_have_another_connection(
    postgres_url: str, submission: Submission
) -> None:
    with services.pooler(postgres_url) as url:
        assert threshold(url) is None
        databases = [Database(url, pool_size=1) for _ in range(CLIENTS)]
        with ThreadPoolExecutor(CLIENTS) as pool:
            ended = list(pool.map(lambda one: do_jobs(one, submission), databases))
        for database in databases:
            database.close()
    assert ended == [[State.SUCCEEDED] * JOBS_OF_EACH] * CLIENTS
