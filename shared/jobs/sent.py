"""What was sent from one browser, so that its page shows the same after it is loaded again."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from shared.jobs.queries import to_job
from shared.jobs.record import Job
from shared.tables import jobs, results, sent


def remember(connection: Connection, visitor: str, job_ids: Collection[str]) -> None:
    """Note which jobs a visitor has sent; each is noted once."""
    known = set(connection.execute(select(sent.c.job_id).where(sent.c.visitor == visitor)).scalars())
    new = [{"visitor": visitor, "job_id": job_id} for job_id in job_ids if job_id not in known]
    if new:
        connection.execute(insert(sent), new)


def forget(connection: Connection, visitor: str) -> None:
    """Empty the list of a visitor; the jobs stay."""
    connection.execute(delete(sent).where(sent.c.visitor == visitor))


def list_of(connection: Connection, visitor: str, *, limit: int) -> list[Job]:
    """Return the jobs that a visitor has sent, the newest first, with their results."""
    query = (
        select(jobs, results.c.document)
        .join_from(jobs, sent)
        .join(results, results.c.job_id == jobs.c.id, isouter=True)
        .where(sent.c.visitor == visitor)
        .order_by(jobs.c.id.desc())
        .limit(limit)
    )
    return [to_job(row, result=row.document) for row in connection.execute(query)]


def states_of(connection: Connection, visitor: str, *, limit: int) -> dict[str, tuple[str, int, int]]:
    """Return what changes of a visitor's jobs while they are worked on: state, attempt and pages done, by their ids."""
    query = (
        select(jobs.c.id, jobs.c.state, jobs.c.attempt, jobs.c.pages_done)
        .join_from(jobs, sent)
        .where(sent.c.visitor == visitor)
        .order_by(jobs.c.id.desc())
        .limit(limit)
    )
    return {row.id: (row.state, row.attempt, row.pages_done) for row in connection.execute(query)}
