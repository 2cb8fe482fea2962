"""What a worker does with one job: claim it, read its document, write down the end. Knows nothing of Celery."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from shared import clock, errors, jobs
from shared.jobs import Job, pages
from shared.telemetry import spans, trace
from worker.jobs.lease import Lease, LeaseLost
from worker.jobs.readers import Wanted, Workplace, want

if TYPE_CHECKING:  # OpenCV and onnxruntime are loaded in the children only, after the fork
    from worker.ocr.pipeline import ReadPage
    from worker.ocr.text.reader import LineRecognizer

log = structlog.get_logger(__name__)

FINISH_PAUSES_SECONDS = (0.2, 1.0, 3.0)
"""Pauses between the tries to write down the end of a job while the database is away."""


def work(job_id: str, recognizer: LineRecognizer, place: Workplace, *, owner: str) -> Job | None:
    """Do one job from claim to end.

    Args:
        job_id: From the message; a hint only.
        recognizer: Reads the lines.
        place: Database, uploads, limits.
        owner: ``NODE/TASK`` under which the job is claimed.

    Returns:
        The job as it was claimed, or None when there was nothing to do.

    Raises:
        DatabaseUnavailable: The claim could not be written; the sweeper publishes the job again.
    """
    with place.database.write(is_synced=False) as connection:  # undone by a loss of power, the job waits as before
        job = jobs.claim(connection, job_id, owner=owner, lease_seconds=place.lease_seconds)
    if job is None:
        log.debug("Nothing to do: the job is taken, ended, or not due.", event_name="job.not_claimed", job_id=job_id)
        return None
    assert job.lease_token is not None
    span = spans.start("job attempt", kind="consumer", parent=job.traceparent)
    with trace.bound(job.trace, job_id=job.id, attempt=job.attempt):
        log.debug("An attempt begins.", event_name="job.claimed")
        lease = Lease(place.database, job.id, job.lease_token, seconds=place.lease_seconds)
        outcome = "lost"
        try:
            with lease:
                outcome = _read_and_finish(job, recognizer, place, lease, span)
        except LeaseLost:
            log.warning("The job was cancelled, or somebody else has it now.", event_name="job.lease_lost")
        finally:
            told: dict[str, str | int | float] = {
                "ocrelay.job_id": job.id,
                "ocrelay.attempt": job.attempt,
                "ocrelay.outcome": outcome,
            }
            span.end(told, is_error=outcome not in ("succeeded", "handed_back"))
    return job


def _read_and_finish(job: Job, recognizer: LineRecognizer, place: Workplace, lease: Lease, span: spans.Span) -> str:
    """Return ``succeeded``, ``handed_back``, or the code of the error."""
    started = clock.monotonic()
    try:
        wanted = want(job, recognizer, place)
        content = place.blobs.get(job.sha256)
        if job.pages_total > 1:
            if not _read_pages(job, wanted, content, place, lease):
                _hand_back(job, place, lease)
                return "handed_back"
            found = _assemble(job, wanted, place)
            result: dict[str, Any] | pages.Assembled = found
            stages = found.timings_ms
        else:
            document = wanted.read(content, lease)
            result, stages = document.to_json(), document.timings_ms
    except LeaseLost:
        raise
    except errors.OcrelayError as error:
        _finish_failed(job, place, lease, error)
        return error.code
    except Exception as error:
        log.exception("The recognition broke off; the job is tried again.", event_name="job.broke_off")
        failure = errors.RecognitionFailed(reason=f"{type(error).__name__}: {error}"[:500])
        _finish_failed(job, place, lease, failure)
        return failure.code
    span.add_stages(stages)
    seconds, reader = clock.monotonic() - started, wanted.reader_sha256
    _finish_succeeded(job, place, lease, result, stages, elapsed_seconds=seconds, reader_sha256=reader)
    return "succeeded"


def _read_pages(job: Job, wanted: Wanted, content: bytes, place: Workplace, lease: Lease) -> bool:
    """Read the pages that no attempt has read, and store each as it is done.

    Returns:
        False where there are pages left and the time of one sitting is over.
    """
    until = clock.monotonic() + place.sitting_seconds
    done = _pages_done(job, place, wanted.reader_sha256)
    left = job.pages_total - len(done)
    with closing(wanted.read_pages(content, lease, done)) as reading:
        for read in reading:
            if not _finish(partial(_store, job, place, read, wanted.reader_sha256), lease):
                raise errors.DatabaseUnavailable
            left -= 1
            log.debug("A page was read.", event_name="page.read", page_number=read.page.page_number)
            if left and clock.monotonic() >= until:
                return False
    return True


def _pages_done(job: Job, place: Workplace, reader_sha256: str | None) -> list[int]:
    """Return the numbers of the pages that an earlier attempt has stored."""
    if not job.pages_done:
        return []
    with place.database.write() as connection:
        done = pages.resume(connection, job.id, str(job.lease_token), reader_sha256)
    if done is None:
        raise LeaseLost(job.id)
    return done


def _store(job: Job, place: Workplace, read: ReadPage, reader_sha256: str | None) -> bool:
    with place.database.write() as connection:
        token = str(job.lease_token)
        return pages.store(
            connection, job.id, token, read.page, timings_ms=read.timings_ms, reader_sha256=reader_sha256
        )


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


def _hand_back(job: Job, place: Workplace, lease: Lease) -> None:
    """Put the job back into the queue, where others are before it; its pages stay, and the attempt does not count."""

    def write() -> bool:
        with place.database.write() as connection:
            return bool(jobs.release(connection, owner=str(job.owner), reason="shutdown"))

    if _finish(write, lease):
        log.info("The job was handed back after some pages; it goes on.", event_name="job.handed_back")


def _finish_succeeded(
    job: Job,
    place: Workplace,
    lease: Lease,
    result: dict[str, Any] | pages.Assembled,
    stages: dict[str, float],
    *,
    elapsed_seconds: float,
    reader_sha256: str | None,
) -> None:
    assert job.started_at is not None
    queue_ms = (job.started_at - job.created_at).total_seconds() * 1000
    timings_ms = {"queue": queue_ms, **stages, "total": queue_ms + elapsed_seconds * 1000}
    timings_ms = {stage: round(milliseconds, 1) for stage, milliseconds in timings_ms.items()}

    def write() -> bool:
        with place.database.write() as connection:
            return jobs.succeed(
                connection,
                job.id,
                str(job.lease_token),
                result=result,
                timings_ms=timings_ms,
                reader_sha256=reader_sha256,
            )

    if _finish(write, lease):
        place.news.tell(job.id)
        log.info("The job succeeded.", event_name="job.succeeded", total_ms=timings_ms["total"])


def _finish_failed(job: Job, place: Workplace, lease: Lease, error: errors.OcrelayError) -> None:
    def write() -> bool:
        with place.database.write() as connection:
            return jobs.fail(connection, job.id, str(job.lease_token), error=error)

    if _finish(write, lease):
        place.news.tell(job.id)
        log.info("The attempt failed.", event_name="job.failed", code=error.code, reason=error.message)


def _finish(write: Callable[[], bool], lease: Lease) -> bool:
    """Write the end down, with some patience for the database.

    Returns:
        True once it is written. False when the database stayed away: the lease runs out, and the sweeper takes over.

    Raises:
        LeaseLost: The end was refused.
    """
    for pause_seconds in (*FINISH_PAUSES_SECONDS, None):
        lease.check()
        try:
            if not write():
                raise LeaseLost
        except errors.DatabaseUnavailable as error:
            log.warning("The end of the job could not be written.", event_name="job.not_written", error=str(error))
            if pause_seconds is not None:
                clock.sleep(pause_seconds)
        else:
            return True
    return False
