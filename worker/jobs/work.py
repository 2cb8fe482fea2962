"""What a worker does with one job: claim it, read its document, write down the end. Knows nothing of Celery."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from shared import clock, errors, jobs
from shared.database import Database
from shared.jobs import Job, pages
from shared.limits import Limits
from shared.options import DEFAULT_QUALITY, QualityName, RecognitionOptions
from shared.telemetry import spans, trace
from shared.uploads.store import UploadStore
from worker.jobs.lease import Lease, LeaseLost

if TYPE_CHECKING:  # OpenCV and onnxruntime are loaded in the children only, after the fork
    from shared.result import DocumentResult
    from worker.models.stronger import Stronger
    from worker.ocr.lines.learned.detection import PageDetector
    from worker.ocr.page.admission import Admission
    from worker.ocr.pipeline import Options, ReadPage
    from worker.ocr.text.reader import LineRecognizer

log = structlog.get_logger(__name__)

FINISH_PAUSES_SECONDS = (0.2, 1.0, 3.0)
"""Pauses between the tries to write down the end of a job while the database is away."""


@dataclass(frozen=True)
class Workplace:
    """What a worker child needs for its jobs.

    admission: what becomes of poor images. detector: finds the lines of pages; None: classical means do.
    stronger: reads what leaves a doubt; None: there is none. quality: who reads where the sender does not say.
    reader_sha256: of everything that decides what is read; None: unknown, and no result is copied.
    sitting_seconds: a job of many pages that took so long goes back into the queue, so that time limits hold for a page
    and nobody waits behind all of it.
    """

    database: Database
    blobs: UploadStore
    limits: Limits
    lease_seconds: float
    admission: Admission = "warn"
    detector: PageDetector | None = None
    reader_sha256: str | None = None
    sitting_seconds: float = math.inf
    stronger: Stronger | None = None
    quality: QualityName = DEFAULT_QUALITY


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
            span.end(told, is_error=outcome not in ("succeeded", "handed_back"))
    return job


def _read_and_finish(job: Job, recognizer: LineRecognizer, place: Workplace, lease: Lease, span: spans.Span) -> str:
    """Return ``succeeded``, ``handed_back``, or the code of the error."""
    started = clock.monotonic()
    try:
        wanted = _want(job, recognizer, place)
        content = place.blobs.get(job.sha256)
        if job.pages_total > 1:
            if not _read_pages(job, wanted, content, place, lease):
                _hand_back(job, place, lease)
                return "handed_back"
            found = _assemble(job, wanted, place)
            result: dict[str, Any] | pages.Assembled = found
            stages = found.timings_ms
        else:
            document = wanted.read(content, place, lease)
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
    _finish_succeeded(job, place, lease, result, stages, elapsed_seconds=clock.monotonic() - started)
    return "succeeded"


@dataclass(frozen=True)
class _Wanted:
    """Who reads a job, and how. stronger: reads again what leaves a doubt; None: nobody does."""

    reader: LineRecognizer
    stronger: Callable[[], LineRecognizer] | None
    options: Options

    def read(self, content: bytes, place: Workplace, lease: Lease) -> DocumentResult:
        """Read a document of one page."""
        from worker.ocr.pipeline import recognize_document

        return recognize_document(
            content, self.reader, self.options, lease.check, place.detector, stronger=self.stronger
        )

    def read_pages(
        self, content: bytes, place: Workplace, lease: Lease, done: Sequence[int]
    ) -> Generator[ReadPage, None, None]:
        """Read the pages that are not done, one by one."""
        from worker.ocr.pipeline import recognize_pages

        return recognize_pages(
            content, self.reader, self.options, lease.check, place.detector, stronger=self.stronger, done=done
        )


def _want(job: Job, recognizer: LineRecognizer, place: Workplace) -> _Wanted:
    from worker.ocr.pipeline import Options, choose_readers

    wished = RecognitionOptions.of_job(job.options)
    recognizer, quality = _choose(wished, recognizer, place)
    options = Options(
        layout=wished.layout,
        limits=place.limits,
        admission=place.admission,
        charset=wished.charset,
        quality=quality,
        text_layer=wished.text_layer,
        pages=wished.pages,
    )
    stronger = place.stronger.load if place.stronger else None
    return _Wanted(*choose_readers(recognizer, options, stronger), options)


def _choose(
    wished: RecognitionOptions, recognizer: LineRecognizer, place: Workplace
) -> tuple[LineRecognizer, QualityName]:
    """Return who reads every line, and whether another one helps: a model that is named reads alone.

    Raises:
        UnknownModel, NoStrongerModel: This worker has not what was asked for.
    """
    stronger = place.stronger
    if wished.quality == "best" and stronger is None:
        raise errors.NoStrongerModel()
    if wished.model is None:
        return recognizer, wished.quality or place.quality
    if stronger is not None and wished.model == stronger.name:
        return stronger.load(), "fast"
    if wished.model == recognizer.card.name:
        return recognizer, "fast"
    loaded = [recognizer.card.name, *([stronger.name] if stronger else [])]
    raise errors.UnknownModel(model=wished.model, loaded=loaded)


def _read_pages(job: Job, wanted: _Wanted, content: bytes, place: Workplace, lease: Lease) -> bool:
    """Read the pages that no attempt has read, and store each as it is done.

    Returns:
        False where there are pages left and the time of one sitting is over.
    """
    until = clock.monotonic() + place.sitting_seconds
    done = _pages_done(job, place)
    left = job.pages_total - len(done)
    with closing(wanted.read_pages(content, place, lease, done)) as reading:
        for read in reading:
            if not _finish(partial(_store, job, place, read), lease):
                raise errors.DatabaseUnavailable
            left -= 1
            log.debug("A page was read.", event_name="page.read", page_number=read.page.page_number)
            if left and clock.monotonic() >= until:
                return False
    return True


def _pages_done(job: Job, place: Workplace) -> list[int]:
    """Return the numbers of the pages that an earlier attempt has stored."""
    if not job.pages_done:
        return []
    with place.database.write() as connection:
        done = pages.resume(connection, job.id, str(job.lease_token), place.reader_sha256)
    if done is None:
        raise LeaseLost(job.id)
    return done


def _store(job: Job, place: Workplace, read: ReadPage) -> bool:
    with place.database.write() as connection:
        token = str(job.lease_token)
        return pages.store(
            connection, job.id, token, read.page, timings_ms=read.timings_ms, reader_sha256=place.reader_sha256
        )


def _assemble(job: Job, wanted: _Wanted, place: Workplace) -> pages.Assembled:
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
