"""What people look for among jobs, and what they order of many at once."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from api.formats.archive import Entry, made
from api.formats.format import Choices, Format
from api.service import corrections, results, review
from api.service import jobs as use_cases
from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, ids
from shared.jobs import Job, search
from shared.jobs import corrections as store
from shared.jobs.corrections import Correction
from shared.jobs.search import Wanted

PAGE_SIZE = 50
QUEUE_DOCUMENTS = 100
"""So many documents are looked through for the review queue, the least sure ones."""
QUEUE_LINES = 100
REPORT = "errors.txt"


@dataclass(frozen=True)
class Doubt:
    """One line that is worth a look, and where it is."""

    job: Job
    page_number: int
    line: review.ShownLine


@dataclass(frozen=True)
class Listed:
    """A page of jobs with their results as people corrected them. corrected: ids. onward: where the next one begins."""

    jobs: list[Job]
    corrected: frozenset[str]
    onward: str | None


def page_of(parts: Parts, wanted: Wanted, client: Caller, before: str | None = None) -> Listed:
    """One page of the jobs that a client may see, the newest first.

    Raises InvalidCursor.
    """
    if before is not None and not ids.is_id(before, "job"):
        raise errors.InvalidCursor()
    wanted = dataclasses.replace(wanted, key_id=client.reads_of)
    with parts.database.read() as connection:
        found = search.newest(connection, wanted, limit=PAGE_SIZE + 1, before=before)
        made = store.of_jobs(connection, [job.id for job in found if job.result])
    shown = [
        replace(job, result=store.applied(job.result, made[job.id])) if job.result and job.id in made else job
        for job in found[:PAGE_SIZE]
    ]
    return Listed(shown, frozenset(made), shown[-1].id if len(found) > PAGE_SIZE else None)


def queue(parts: Parts, client: Caller) -> list[Doubt]:
    """The lines that are least sure, across pages and documents that a client may change, and uncorrected."""
    with parts.database.read() as connection:
        found = search.least_sure(connection, Wanted(key_id=client.changes_of), limit=QUEUE_DOCUMENTS)
    doubts: list[Doubt] = []
    for job in found:
        said: list[Correction] = corrections.list_of(parts, job)
        for page in (job.result or {}).get("pages", ()):
            lines = review.lines_of(page, said)
            doubts += [Doubt(job, page["page_number"], line) for line in lines if line.is_doubtful]
    return sorted(doubts, key=lambda doubt: doubt.line.confidence or 0.0)[:QUEUE_LINES]


def for_each(job_ids: Sequence[str], order: Callable[[str], object]) -> list[tuple[str, errors.OcrelayError]]:
    """Give the same order for each job; return those that could not take it, with why."""
    refused = []
    for job_id in dict.fromkeys(job_ids):
        try:
            order(job_id)
        except errors.DatabaseUnavailable:
            raise
        except errors.OcrelayError as error:
            refused.append((job_id, error))
    return refused


def files_of(
    parts: Parts, job_ids: Sequence[str], client: Caller, *, form: Format, is_corrected: bool
) -> Iterator[Entry]:
    """The results of jobs as files of one format, and last a list of those that have none, with why."""
    told: list[str] = []
    made_at = None
    for number, job_id in enumerate(dict.fromkeys(job_ids), 1):
        try:
            job = use_cases.find(parts, job_id, client)
            made_at = job.created_at
            shown = corrections.corrected(parts, job) if is_corrected else job
            source = replace(results.source_of(parts, shown, Choices()), name=results.called(job))
            use_cases.note_read(parts, job, client)
            yield from made(form, source, f"{number:04}-")
        except errors.OcrelayError as error:
            told.append(f"{job_id}: {error.message}\n")
    if told and made_at is not None:
        yield Entry(REPORT, made_at, io.BytesIO("".join(told).encode()))
