"""Batches: how far each is, the list of them, and their jobs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors, ids, jobs
from shared.clock import timestamp
from shared.jobs import State, batches
from shared.jobs.batches import Batch

PAGE_SIZE = 20


@dataclass(frozen=True)
class Progress:
    """A batch and how far it is. counts: its jobs in each state, and those that were deleted since."""

    batch: Batch
    counts: dict[str, int]

    @property
    def is_finished(self) -> bool:
        """Whether none of its jobs is open."""
        return not (self.counts[State.QUEUED] or self.counts[State.RUNNING])

    @property
    def ended_count(self) -> int:
        """So many of its documents will not change any more."""
        return self.batch.document_count - self.counts[State.QUEUED] - self.counts[State.RUNNING]


def find(parts: Parts, batch_id: str, client: Caller) -> Progress:
    """How far a batch is that the client may see; raises BatchNotFound."""
    if ids.is_id(batch_id, "bat"):
        with parts.database.read() as connection:
            batch = batches.get(connection, batch_id)
            if batch is not None and client.reads_of in (None, batch.key_id):
                return _progress(connection, batch)
    raise errors.BatchNotFound(batch_id=batch_id[:64])


def page_of(parts: Parts, client: Caller, before: str | None = None) -> tuple[list[Progress], str | None]:
    """Batches that a client may see, the newest first, and where the next page goes on. Raises InvalidCursor."""
    if before is not None and not ids.is_id(before, "bat"):
        raise errors.InvalidCursor()
    with parts.database.read() as connection:
        found = batches.newest(connection, key_id=client.reads_of, limit=PAGE_SIZE + 1, before=before)
        shown = [_progress(connection, batch) for batch in found[:PAGE_SIZE]]
    return shown, shown[-1].batch.id if len(found) > PAGE_SIZE else None


def of_jobs(parts: Parts, found: Iterable[jobs.Job]) -> list[Batch]:
    """The batches that jobs belong to, each once, in the order of the jobs."""
    wanted = dict.fromkeys(job.batch_id for job in found if job.batch_id)
    with parts.database.read() as connection:
        return [batch for batch_id in wanted if (batch := batches.get(connection, batch_id))]


def jobs_of(parts: Parts, batch_id: str) -> list[jobs.Job]:
    """The jobs of a batch, in the order of the documents, without results."""
    with parts.database.read() as connection:
        limit = parts.settings.max_batch_documents
        return jobs.list_jobs(connection, batch_id=batch_id, limit=limit)[::-1]


def ended(parts: Parts, batch_id: str, client: Caller) -> Progress:
    """A batch whose jobs have all ended; raises BatchNotFound or NoResult."""
    found = find(parts, batch_id, client)
    if not found.is_finished:
        raise errors.NoResult(
            "Jobs of the batch have not ended. Ask again when `is_finished` of the batch is true.",
            batch_id=found.batch.id,
            counts=found.counts,
        )
    return found


def document(found: Progress) -> dict[str, Any]:
    """A batch as JSON-ready objects."""
    batch, link = found.batch, f"/v1/batches/{found.batch.id}"
    return {
        "id": batch.id,
        "created_at": timestamp(batch.created_at),
        "reference": batch.reference,
        "document_count": batch.document_count,
        "counts": found.counts,
        "is_finished": found.is_finished,
        "links": {"self": link, "jobs": f"/v1/jobs?batch_id={batch.id}", "results": f"{link}/results"},
    }


def _progress(connection: Connection, batch: Batch) -> Progress:
    counts = jobs.counts(connection, batch_id=batch.id)
    return Progress(batch, counts | {"deleted": batch.document_count - sum(counts.values())})
