"""What a worker does with one job: claim it, read its document, write down the end. Knows nothing of Celery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from shared import clock, errors, jobs
from shared.database import Database
from shared.jobs import Job
from shared.limits import Limits
from shared.options import RecognitionOptions
from shared.telemetry import spans, trace
from shared.uploads.store import UploadStore
from worker.jobs.lease import Lease, LeaseLost

if TYPE_CHECKING:  # OpenCV and onnxruntime are loaded in the children only, after the fork
    from shared.result import DocumentResult
    from worker.ocr.lines.learned.detection import PageDetector
    from worker.ocr.page.admission import Admission
    from worker.ocr.pipeline import LineRecognizer

log = structlog.get_logger(__name__)

FINISH_PAUSES_SECONDS = (0.2, 1.0, 3.0)
"""Pauses between the tries to write down the end of a job while the database is away."""


@dataclass(frozen=True)
class Workplace:
    """What a worker child needs for its jobs.

    admission: what becomes of poor images. detector: finds the lines of pages; None: classical means do.
    reader_sha256: of everything that decides what is read; None: unknown, and no result is copied.
    """

    database: Database
    blobs: UploadStore
    limits: Limits
    lease_seconds: float
    admission: Admission = "warn"
    detector: PageDetector | None = None
    reader_sha256: str | None = None


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
    with place.database.write() as connection:
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
            span.end(told, is_error=outcome != "succeeded")
    return job


def _read_and_finish(job: Job, recognizer: LineRecognizer, place: Workplace, lease: Lease, span: spans.Span) -> str:
    """Return ``succeeded``, or the code of the error."""
    started = clock.monotonic()
    try:
        document = _read(job, recognizer, place, lease)
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
    span.add_stages(document.timings_ms)
    _finish_succeeded(job, place, lease, document, elapsed_seconds=clock.monotonic() - started)
    return "succeeded"


def _read(job: Job, recognizer: LineRecognizer, place: Workplace, lease: Lease) -> DocumentResult:
    from worker.ocr.pipeline import Options, recognize_document

    wanted = job.options.get("model") or recognizer.card.name
    if wanted != recognizer.card.name:
        raise errors.UnknownModel(model=wanted, loaded=[recognizer.card.name])
    wished = RecognitionOptions.of_job(job.options)
    options = Options(
        layout=wished.layout,
        limits=place.limits,
        admission=place.admission,
        charset=wished.charset,
        text_layer=wished.text_layer,
        pages=wished.pages,
    )
    return recognize_document(place.blobs.get(job.sha256), recognizer, options, lease.check, place.detector)


def _finish_succeeded(
    job: Job, place: Workplace, lease: Lease, document: DocumentResult, *, elapsed_seconds: float
) -> None:
    result = document.to_json()
    assert job.started_at is not None
    queue_ms = (job.started_at - job.created_at).total_seconds() * 1000
    timings_ms = {"queue": queue_ms, **document.timings_ms, "total": queue_ms + elapsed_seconds * 1000}
    timings_ms = {stage: round(milliseconds, 1) for stage, milliseconds in timings_ms.items()}

    def write() -> bool:
        with place.database.write() as connection:
            return jobs.succeed(
                connection,
                job.id,
                str(job.lease_token),
                result=result,
                timings_ms=timings_ms,
                reader_sha256=place.reader_sha256,
            )

    if _finish(write, lease):
        log.info("The job succeeded.", event_name="job.succeeded", total_ms=timings_ms["total"])


def _finish_failed(job: Job, place: Workplace, lease: Lease, error: errors.OcrelayError) -> None:
    def write() -> bool:
        with place.database.write() as connection:
            return jobs.fail(connection, job.id, str(job.lease_token), error=error)

    if _finish(write, lease):
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
