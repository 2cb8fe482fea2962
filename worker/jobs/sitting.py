"""A document of many pages, a sitting at a time: each page is stored as it is read, and none is read twice."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from shared import clock, errors
from shared.jobs import Job, pages
from worker.jobs import patience
from worker.jobs.lease import Lease, LeaseLost
from worker.jobs.readers import Wanted, Workplace

if TYPE_CHECKING:  # OpenCV and onnxruntime are loaded in the children only, after the fork
    from worker.ocr.pipeline import ReadPage

log = structlog.get_logger(__name__)


def read(job: Job, wanted: Wanted, content: bytes, place: Workplace, lease: Lease) -> pages.Assembled | None:
    """Read the pages that no attempt has read, and put all together.

    Returns:
        None where there are pages left and the time of one sitting is over.

    Raises:
        LeaseLost: What was read is refused.
        OcrelayError: The job cannot be read; or a page cannot be stored.
    """
    until = clock.monotonic() + place.sitting_seconds
    done = _pages_done(job, place, wanted.reader_sha256)
    left = job.pages_total - len(done)
    with closing(wanted.read_pages(content, lease, done)) as reading:
        for page in reading:
            _store(job, place, lease, page, wanted.reader_sha256)
            left -= 1
            log.debug("A page was read.", event_name="page.read", page_number=page.page.page_number)
            if left and clock.monotonic() >= until:
                return None
    return _assemble(job, wanted, place)


def _pages_done(job: Job, place: Workplace, reader_sha256: str | None) -> list[int]:
    """Return the numbers of the pages that an earlier attempt has stored."""
    if not job.pages_done:
        return []
    with place.database.write() as connection:
        done = pages.resume(connection, job.id, str(job.lease_token), reader_sha256)
    if done is None:
        raise LeaseLost(job.id)
    return done


def _store(job: Job, place: Workplace, lease: Lease, read: ReadPage, reader_sha256: str | None) -> None:
    def write(connection: Connection) -> bool:
        token, timings_ms = str(job.lease_token), read.timings_ms
        return not lease.is_lost and pages.store(
            connection, job.id, token, read.page, timings_ms=timings_ms, reader_sha256=reader_sha256
        )

    is_stored = patience.write(place.database, write)
    if is_stored is None:
        raise errors.DatabaseUnavailable
    if not is_stored:
        raise LeaseLost(job.id)


def _assemble(job: Job, wanted: Wanted, place: Workplace) -> pages.Assembled:
    """Put the stored pages together; raises QualityTooLow where none of them shows writing and such are refused."""
    from worker.ocr.page.admission import require_writing
    from worker.ocr.pipeline import name_of

    stronger = wanted.stronger
    with place.database.read() as connection:
        found = pages.assemble(
            connection,
            job.id,
            name_of(wanted.reader.card),
            stronger=None if stronger is None else lambda: name_of(stronger().card),
            detector=wanted.finder,
        )
        if place.admission == "refuse" and not found.character_count:
            require_writing(pages.stored(connection, job.id), place.admission)
    if found.page_count != job.pages_total:
        raise errors.RecognitionFailed(reason=f"{found.page_count} of {job.pages_total} pages are stored")
    return found
