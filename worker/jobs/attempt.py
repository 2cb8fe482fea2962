"""One attempt at a job that was claimed: its lease, what is read under it, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import structlog
from sqlalchemy import Connection

from shared import clock, errors, jobs
from shared.jobs import Job, pages
from shared.telemetry import spans, trace
from worker.jobs import sitting
from worker.jobs.lease import Lease, LeaseLost
from worker.jobs.readers import Workplace, want

if TYPE_CHECKING:  # OpenCV and onnxruntime are loaded in the children only, after the fork
    from worker.ocr.text.reader import LineRecognizer

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _End:
    """How an attempt ends, as soon as that is written.

    outcome: ``succeeded``, ``handed_back``, or the code of the error. write: does it, but for rows that it gives away;
    False: the lease was lost. say: tells the log of it.
    """

    outcome: str
    write: Callable[[Connection, jobs.Rows], bool]
    say: Callable[[], None]


class Attempt:
    """Holds the lease of a job from entering the ``with`` block to leaving it."""

    def __init__(self, job: Job, place: Workplace) -> None:
        self._job = job
        self._place = place
        self._claimed = clock.monotonic()
        self._span = spans.start("job attempt", kind="consumer", parent=job.traceparent)
        self._outcome = "lost"
        self._end: _End | None = None
        with self._bound():
            log.debug("An attempt begins.", event_name="job.claimed")
            self._lease = Lease(place.database, job.id, str(job.lease_token), seconds=place.lease_seconds)

    def __enter__(self) -> Self:
        self._lease.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lease.__exit__(kind, error, trace)
        told: dict[str, str | int | float] = {
            "ocrelay.job_id": self._job.id,
            "ocrelay.attempt": self._job.attempt,
            "ocrelay.outcome": self._outcome,
        }
        self._span.end(told, is_error=self._outcome not in ("succeeded", "handed_back"))

    @property
    def job_id(self) -> str:
        """Of the job."""
        return self._job.id

    def read(self, recognizer: LineRecognizer) -> bool:
        """Read the document. False: the job was lost over it, and there is no end to write."""
        with self._bound():
            try:
                self._end = self._read(recognizer)
            except LeaseLost:
                self._lose()
            except errors.OcrelayError as error:
                self._end = self._failure(error)
            except Exception as error:
                log.exception("The recognition broke off; the job is tried again.", event_name="job.broke_off")
                reason = f"{type(error).__name__}: {error}"[:500]
                self._end = self._failure(errors.RecognitionFailed(reason=reason))
        return self._end is not None

    def write(self, connection: Connection, rows: jobs.Rows) -> bool:
        """Write the end of what was read, but for the rows, which are to be added. False: the lease was lost."""
        return self._end is not None and not self._lease.is_lost and self._end.write(connection, rows)

    def settle(self, *, is_written: bool) -> None:
        """Note how it ended, once the transaction of ``write`` is committed."""
        with self._bound():
            if is_written and self._end is not None:
                self._outcome = self._end.outcome
                self._end.say()
            else:
                self._lose()

    def _bound(self) -> AbstractContextManager[None]:
        return trace.bound(self._job.trace, job_id=self._job.id, attempt=self._job.attempt)

    def _lose(self) -> None:
        log.warning("The job was cancelled, or somebody else has it now.", event_name="job.lease_lost")

    def _read(self, recognizer: LineRecognizer) -> _End:
        job, place, lease = self._job, self._place, self._lease
        lease.check()
        wanted = want(job, recognizer, place)
        content = place.blobs.get(job.sha256)
        result: dict[str, Any] | pages.Assembled
        if job.pages_total > 1:
            assembled = sitting.read(job, wanted, content, place, lease)
            if assembled is None:
                return _End("handed_back", self._hand_back, self._say_handed_back)
            result, stages = assembled, assembled.timings_ms
        else:
            document = wanted.read(content, lease)
            result, stages = document.to_json(), document.timings_ms
        self._span.add_stages(stages)
        return self._success(result, stages, wanted.reader_sha256)

    def _success(
        self, result: dict[str, Any] | pages.Assembled, stages: dict[str, float], reader_sha256: str | None
    ) -> _End:
        job = self._job
        assert job.started_at is not None
        queue_ms = (job.started_at - job.created_at).total_seconds() * 1000
        total_ms = queue_ms + (clock.monotonic() - self._claimed) * 1000
        timings_ms = {"queue": queue_ms, **stages, "total": total_ms}
        timings_ms = {stage: round(milliseconds, 1) for stage, milliseconds in timings_ms.items()}

        def write(connection: Connection, rows: jobs.Rows) -> bool:
            return jobs.succeed(
                connection,
                job.id,
                str(job.lease_token),
                result=result,
                timings_ms=timings_ms,
                reader_sha256=reader_sha256,
                rows=rows,
            )

        def say() -> None:
            log.info("The job succeeded.", event_name="job.succeeded", total_ms=round(total_ms, 1))

        return _End("succeeded", write, say)

    def _failure(self, error: errors.OcrelayError) -> _End:
        job = self._job

        def write(connection: Connection, _: jobs.Rows) -> bool:
            return jobs.fail(connection, job.id, str(job.lease_token), error=error)

        def say() -> None:
            log.info("The attempt failed.", event_name="job.failed", code=error.code, reason=error.message)

        return _End(error.code, write, say)

    def _hand_back(self, connection: Connection, _: jobs.Rows) -> bool:
        """Put the job back into the queue, behind others; its pages stay, and the attempt does not count."""
        return bool(jobs.release(connection, owner=str(self._job.owner), reason="shutdown"))

    def _say_handed_back(self) -> None:
        log.info("The job was handed back after some pages; it goes on.", event_name="job.handed_back")
