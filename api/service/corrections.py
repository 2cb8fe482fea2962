"""What clients do with the corrections of a job: look, add, take a result with them."""

from __future__ import annotations

import dataclasses

from api.service import jobs as use_cases
from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, jobs
from shared.jobs import corrections
from shared.jobs.corrections import Correction
from shared.keys.record import Scope

LONGEST_LINE = 10_000
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
"""What a line may hold; signs without a width are part of how people write, of emoji as of Persian."""


def list_of(parts: Parts, job: jobs.Job) -> list[Correction]:
    """A job's corrections, the oldest first."""
    with parts.database.read() as connection:
        return corrections.list_of(connection, job.id)


def add(
    parts: Parts, job_id: str, client: Caller, *, page_number: int, line_number: int, before: str, after: str
) -> list[Correction]:
    """Correct a line; return all corrections of the job.

    Raises JobNotFound, JobDeleted, NoResult, CorrectionConflict.
    """
    job = use_cases.find_own(parts, job_id, client)
    if job.result is None:
        raise errors.NoResult(job_id=job.id, state=str(job.state))
    with parts.database.write() as connection:
        is_added = corrections.add(
            connection, job, page_number=page_number, line_number=line_number, before=before, after=after,
            actor=client.actor,
        )  # fmt: skip
    made = list_of(parts, job)
    if not is_added:
        now = corrections.text_of(job.result, made, page_number, line_number)
        if now is None:
            raise errors.CorrectionConflict(
                "The result has no such line. Take page and line from the result, counted from 1.", text=None
            )
        raise errors.CorrectionConflict(text=now if client.may(Scope.READ) else None)
    return made


def corrected(parts: Parts, job: jobs.Job) -> jobs.Job:
    """The job, and its result with what people say."""
    if job.result is None:
        return job
    return dataclasses.replace(job, result=corrections.applied(job.result, list_of(parts, job)))
