"""Pages of jobs that are under way: each is stored as it is read, so that no page is read twice.

They become the result when the job succeeds, and go. A job of one page has none: its result is stored at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from shared.database import database_now
from shared.jobs.moves import held
from shared.jobs.stored_result import VERSION
from shared.result import STAGES, ModelName, Page, mean_confidence
from shared.result.confidence import rounded
from shared.tables import jobs, pages

LINE_MODEL = '"model":'
"""Stands in the JSON of a page only where a line names who read it: in a text, quotes have a backslash before them."""


@dataclass(frozen=True)
class Assembled:
    """The pages of a job together."""

    document: str
    """The `result` object as JSON; text, for as objects 300 pages take hundreds of megabytes."""
    summary: dict[str, Any]
    """`confidence`, `min_confidence` and `model` of it."""
    timings_ms: dict[str, float]
    """By stage, summed over the pages."""
    page_count: int
    """So many there are."""
    character_count: int
    """So many characters were read."""


def store(
    connection: Connection,
    job_id: str,
    lease_token: str,
    page: Page,
    *,
    timings_ms: dict[str, float],
    reader_sha256: str | None,
) -> bool:
    """Store a page that was read. False: the lease was lost, and nothing is stored.

    Args:
        connection: A write transaction.
        job_id: Which job.
        lease_token: Of the claim.
        page: As it was read, with its characters.
        timings_ms: Of the page, by stage.
        reader_sha256: Of everything that decided what was read beside bytes and options.
    """
    query = update(jobs).where(held(job_id, lease_token)).values(pages_done=jobs.c.pages_done + 1)
    if connection.execute(query).rowcount != 1:
        return False
    confidences = [character.confidence for line in page.lines for character in line.characters]
    values = {
        "job_id": job_id,
        "page_number": page.page_number,
        "stored_at": database_now(),
        "reader_sha256": reader_sha256,
        "page": json.dumps(page.to_json(), ensure_ascii=False, separators=(",", ":")),
        "text": page.text,
        "character_count": len(confidences),
        "confidence": mean_confidence(confidences),
        "min_confidence": min((line.confidence for line in page.lines), default=None),
        "timings_ms": timings_ms,
    }
    connection.execute(insert(pages).values(values))
    return True


def resume(connection: Connection, job_id: str, lease_token: str, reader_sha256: str | None) -> list[int] | None:
    """Return the numbers of the pages that need not be read again; those of another reader are dropped.

    Returns:
        None when the lease was lost; nothing is dropped then.
    """
    if connection.execute(select(jobs.c.id).where(held(job_id, lease_token)).with_for_update()).first() is None:
        return None
    mine = pages.c.job_id == job_id
    connection.execute(delete(pages).where(mine, pages.c.reader_sha256.is_distinct_from(reader_sha256)))
    done = list(connection.execute(select(pages.c.page_number).where(mine).order_by(pages.c.page_number)).scalars())
    connection.execute(update(jobs).where(held(job_id, lease_token)).values(pages_done=len(done)))
    return done


def assemble(
    connection: Connection,
    job_id: str,
    model: ModelName,
    *,
    stronger: Callable[[], ModelName] | None = None,
    detector: ModelName | None = None,
) -> Assembled:
    """Return the stored pages of a job as the `result` object that it would have got from all of them at once.

    Args:
        connection: Reading is enough.
        job_id: Which job.
        model: Which read every line.
        stronger: Says which read some lines again; asked only if one did.
        detector: Which found the lines; None: classical means did.
    """
    mine = pages.c.job_id == job_id
    rows = connection.execute(
        select(pages.c.text, pages.c.character_count, pages.c.confidence, pages.c.min_confidence, pages.c.timings_ms)
        .where(mine)
        .order_by(pages.c.page_number)
    ).all()
    count = sum(row.character_count for row in rows)
    weighted = sum(row.confidence * row.character_count for row in rows if row.confidence is not None)
    least = [row.min_confidence for row in rows if row.min_confidence is not None]
    query = select(pages.c.page).where(mine).order_by(pages.c.page_number)
    bodies = list(connection.execute(query).scalars())
    by_two = stronger is not None and any(LINE_MODEL in body for body in bodies)
    summary = {
        "confidence": rounded(weighted / count) if count else None,
        "min_confidence": rounded(min(least, default=None)),
        "model": model.to_json(),
        **({"stronger_model": stronger().to_json()} if stronger is not None and by_two else {}),
        **({"detector": detector.to_json()} if detector is not None else {}),
    }
    head = {"version": VERSION, "text": "\n\n".join(row.text for row in rows if row.text), **summary}
    start = json.dumps(head, ensure_ascii=False)[:-1]
    document = f'{start}, "pages": [{",".join(bodies)}]}}'
    return Assembled(document, summary, _sums(row.timings_ms for row in rows), len(rows), count)


def stored(connection: Connection, job_id: str) -> list[Page]:
    """Return the stored pages of a job, without their characters. Many take much memory."""
    query = select(pages.c.page).where(pages.c.job_id == job_id).order_by(pages.c.page_number)
    return [Page.from_json(json.loads(body)) for body in connection.execute(query).scalars()]


def forget(connection: Connection, job_id: str) -> None:
    """Drop the pages of a job: its result has them."""
    connection.execute(delete(pages).where(pages.c.job_id == job_id))


def _sums(timings: Iterable[dict[str, float]]) -> dict[str, float]:
    found = list(timings)
    return {stage: round(sum(one.get(stage, 0.0) for one in found), 2) for stage in STAGES}
