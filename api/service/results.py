"""Files of results: of one job, and of all jobs of a batch."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from api.formats.archive import Entry, made
from api.formats.format import Choices, Format, Source
from api.service import jobs as use_cases
from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors
from shared.jobs import Job, State
from shared.result import DocumentResult

SUMMARY = "batch.json"
NOT_IN_NAMES = re.compile(r"[^\w .,()+-]+")
LONGEST_NAME = 100  # characters


def called(job: Job) -> str:
    """The document's own name without its ending, as far as every system takes it; else the job's id."""
    return file_name(PurePosixPath((job.filename or "").replace("\\", "/")).stem) or job.id


def file_name(text: str) -> str:
    """As much of a text as every system takes for the name of a file; empty where that is nothing."""
    return NOT_IN_NAMES.sub("_", text)[:LONGEST_NAME].strip(" ._")


def source_of(parts: Parts, job: Job, choices: Choices) -> Source:
    """What the files of a job's result are made of; raises NoResult."""
    if job.result is None:
        raise errors.NoResult(job_id=job.id, state=str(job.state))
    return Source(
        DocumentResult.from_json(job.result),
        job.id,
        job.finished_at or job.created_at,
        job.media_type,
        lambda: parts.blobs.get(job.sha256),
        choices,
    )


def check_choices(form: Format, choices: Choices) -> None:
    """Raises InvalidOption where something was chosen that the format does not know."""
    for name in sorted(choices.names() - form.choices):
        raise errors.InvalidOption(
            f"{name} means nothing for {form.name}. Leave it out, or choose another format.", option=name
        )


def files_of_batch(
    parts: Parts,
    client: Caller,
    jobs: list[Job],
    batch: dict[str, Any],
    *,
    form: Format,
    choices: Choices,
    is_named: bool = False,
) -> Iterator[Entry]:
    """The results of a batch's jobs in their order, and last a summary that names those without one.

    Args:
        parts: Of the process.
        client: Who asks.
        jobs: Of the batch, in the order of the documents, without results.
        batch: The batch's document, with which the summary begins.
        form: Of every file.
        choices: That the format knows.
        is_named: The files are called as their documents, not by the ids of the jobs.
    """
    told: list[dict[str, Any]] = []
    made_at = max((job.finished_at or job.created_at for job in jobs), default=None)
    for number, job in enumerate(jobs, 1):
        row: dict[str, Any] = {"id": job.id, "filename": job.filename, "state": str(job.state)}
        row |= {"files": [], "error": job.error}
        told.append(row)
        if job.state != State.SUCCEEDED:
            continue
        try:
            found = use_cases.find(parts, job.id, client)
            source = replace(source_of(parts, found, choices), name=called(job) if is_named else job.id)
            use_cases.note_read(parts, found, client)
            for entry in made(form, source, f"{number:04}-"):
                yield entry
                row["files"].append(entry.name)
        except errors.OcrelayError as error:  # the other documents have nothing to do with it
            row["error"] = error.to_json()
    if made_at is not None:
        yield _summary({**batch, "format": form.name, "jobs": told}, made_at)


def _summary(document: dict[str, Any], made_at: datetime) -> Entry:
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    return Entry(SUMMARY, made_at, io.BytesIO(text.encode()))
