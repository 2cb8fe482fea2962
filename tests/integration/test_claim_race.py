"""Many workers want one job; exactly one gets it."""

from __future__ import annotations

import functools
import multiprocessing
import operator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from threading import Barrier

from shared import jobs
from shared.database import Database
from shared.jobs import Submission


def claim_each(url: str, job_ids: list[str], owner: str) -> list[str]:
    """Claim every job of the list; return those that were won."""
    database = Database(url)
    won = []
    for job_id in job_ids:
        with database.write() as connection:
            if jobs.claim(connection, job_id, owner=owner, lease_seconds=30):
                won.append(job_id)
    database.close()
    return won


def submit(database: Database, submission: Submission, count: int) -> list[str]:
    with database.write() as connection:
        return [jobs.submit(connection, submission, max_attempts=4).id for _ in range(count)]


def test_of_many_threads_one_wins(database: Database, submission: Submission) -> None:
    (job_id,) = submit(database, submission, 1)
    barrier = Barrier(8)

    def claim(number: int) -> bool:
        barrier.wait()
        with database.write() as connection:
            return jobs.claim(connection, job_id, owner=f"node/{number}", lease_seconds=30) is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1


def test_of_two_processes_each_job_has_one_winner(
    database: Database, database_url: str, submission: Submission
) -> None:
    job_ids = submit(database, submission, 40)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        won = [pool.submit(claim_each, database_url, job_ids, f"node/{n}") for n in range(2)]
        all_won = functools.reduce(operator.iadd, (future.result() for future in won), [])
    assert sorted(all_won) == sorted(job_ids)
    with database.read() as connection:
        assert {job.attempt for job in jobs.list_jobs(connection, limit=50)} == {1}
