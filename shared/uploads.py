"""Which stored uploads are needed: the question before any of them is deleted."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, or_, select

from shared.database import database_now
from shared.job_record import FINAL_STATES
from shared.tables import jobs


def needed(connection: Connection, sha256s: Collection[str], *, age_seconds: float | None = None) -> set[str]:
    """Return those of the uploads that a job needs.

    Args:
        connection: Reading is enough.
        sha256s: The uploads in question.
        age_seconds: None: any job needs its upload. Else a job that ended longer ago does not need it any more.
    """
    query = select(jobs.c.sha256).where(jobs.c.sha256.in_(sha256s)).distinct()
    if age_seconds is not None:
        still_open = jobs.c.state.not_in(FINAL_STATES)
        query = query.where(or_(still_open, jobs.c.finished_at >= database_now(-age_seconds)))
    return set(connection.execute(query).scalars())
