"""What people say that a line of a result holds. Rows are added, never changed; what was read is never touched."""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from shared.audit import trail
from shared.audit.actor import Actor
from shared.database import database_now
from shared.jobs.record import Job
from shared.tables import corrections, jobs


@dataclass(frozen=True)
class Correction:
    """One line, corrected once. page_number, line_number: 1-based, in the order of the result."""

    id: int
    page_number: int
    line_number: int
    before: str
    after: str
    created_at: datetime
    key_id: str | None
    client_ip: str | None


def add(
    connection: Connection, job: Job, *, page_number: int, line_number: int, before: str, after: str, actor: Actor
) -> bool:
    """Store a correction with its audit event, if the line still holds what it was before.

    Returns:
        Whether it did; False: somebody else was faster, or the job is gone.
    """
    locked = connection.execute(select(jobs.c.id).where(jobs.c.id == job.id).with_for_update()).first()
    if locked is None or text_of(job.result or {}, list_of(connection, job.id), page_number, line_number) != before:
        return False
    connection.execute(
        insert(corrections).values(
            job_id=job.id, page_number=page_number, line_number=line_number, before=before, after=after,
            created_at=database_now(), key_id=actor.key_id, client_ip=actor.address,
        )
    )  # fmt: skip
    trail.record(connection, event=trail.Event.CORRECTED, actor=actor, job_id=job.id, sha256=job.sha256)
    return True


def list_of(connection: Connection, job_id: str) -> list[Correction]:
    """Return a job's corrections, the oldest first."""
    return of_jobs(connection, [job_id]).get(job_id, [])


def of_jobs(connection: Connection, job_ids: Sequence[str]) -> dict[str, list[Correction]]:
    """Return the corrections of those jobs that have some, by the jobs' ids, the oldest first."""
    columns = [corrections.c[name] for name in Correction.__dataclass_fields__]
    query = select(corrections.c.job_id, *columns).where(corrections.c.job_id.in_(job_ids)).order_by(corrections.c.id)
    found = defaultdict(list)
    for job_id, *values in connection.execute(query):
        found[job_id].append(Correction(*values))
    return dict(found)


def text_of(result: Mapping[str, Any], made: Sequence[Correction], page_number: int, line_number: int) -> str | None:
    """What a line holds now; None: there is no such line."""
    here = [one.after for one in made if (one.page_number, one.line_number) == (page_number, line_number)]
    if here:
        return here[-1]
    page = next((page for page in result.get("pages", ()) if page["page_number"] == page_number), None)
    lines = page["lines"] if page else []
    return str(lines[line_number - 1]["text"]) if 1 <= line_number <= len(lines) else None


def applied(result: Mapping[str, Any], made: Sequence[Correction]) -> dict[str, Any]:
    """The result with what people say; a corrected line has no words any more, for nobody said where they lie."""
    found: dict[str, Any] = copy.deepcopy(dict(result))
    pages = {page["page_number"]: page for page in found["pages"]}
    for one in made:
        line = pages[one.page_number]["lines"][one.line_number - 1]
        line |= {"text": one.after, "words": []}
    if made:
        texts = ["\n".join(line["text"] for line in page["lines"]) for page in found["pages"] if page["lines"]]
        found["text"] = "\n\n".join(texts)
    return found
