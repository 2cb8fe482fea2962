"""The use cases behind the HTTP door: take a document in, look at a job, wait for it."""

from __future__ import annotations

import dataclasses

import structlog
from celery import Celery

from api.accept import Accepted, Envelope, accept, check_open_jobs
from api.caller import NOBODY, Caller
from api.idempotency import InFlight
from api.intake import Upload
from api.waiting import Waiting
from shared import audit, errors, ids, jobs, queue, uploads
from shared.blobs import Blobs
from shared.database import Database
from shared.idempotency import Key
from shared.settings import Settings
from shared.targets import Guard

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True)
class Service:
    """What one process of the API works with."""

    settings: Settings
    database: Database
    blobs: Blobs
    queue: Celery
    waiting: Waiting
    in_flight: InFlight = dataclasses.field(default_factory=InFlight)
    guard: Guard = dataclasses.field(default_factory=Guard)
    """Says where webhooks may go; the public internet alone, unless the settings allow more."""

    def submit(self, upload: Upload, client: Caller, key: Key | None = None) -> Accepted:
        """Accept one document; see ``accept``."""
        return accept(self, [upload], Envelope(client.shown_address, client.key_id, key))

    def job_of(self, accepted: Accepted, seconds: float | None) -> jobs.Job:
        """The job of a submission: as it was accepted, or after so many seconds."""
        if seconds or accepted.is_replay or accepted.jobs[0].is_final:
            return self.job_after(accepted.subject, seconds, NOBODY)  # whoever was given its id may see it
        with self.database.read() as connection:
            return jobs.with_position(connection, accepted.jobs[0])

    def job(self, job_id: str, client: Caller) -> jobs.Job:
        """The job with its result, if the client may see it; raises JobNotFound or JobDeleted."""
        return self._job_of(job_id, client.reads_of)

    def note_read(self, job: jobs.Job, client: Caller) -> None:
        """Write an audit event if the client is shown what another key submitted."""
        if client.is_stranger_to(job.key_id):
            with self.database.write() as connection:
                audit.record(
                    connection,
                    event=audit.READ,
                    actor="client",
                    job_id=job.id,
                    attempt=job.attempt,
                    client_ip=client.shown_address,
                    sha256=job.sha256,
                    outcome=str(job.state),
                    key_id=client.key_id,
                )

    def _job_of(self, job_id: str, key_id: str | None) -> jobs.Job:
        """The job, of this key or of anybody: another's is answered like none at all."""
        if not ids.is_id(job_id, "job"):
            raise errors.JobNotFound(job_id=job_id[:64])
        with self.database.read() as connection:
            found = jobs.get(connection, job_id)
            if (
                found is None
                and audit.has_event(connection, job_id, audit.DELETED)
                and (key_id is None or audit.has_event(connection, job_id, audit.SUBMITTED, key_id=key_id))
            ):
                raise errors.JobDeleted(job_id=job_id)
        if found is None or key_id not in (None, found.key_id):
            raise errors.JobNotFound(job_id=job_id)
        return found

    def cancel(self, job_id: str, client: Caller) -> jobs.Job:
        """Cancel a job; one that is cancelled already is fine, too. Raises JobNotFound, JobDeleted, NotCancellable."""
        mine = client.changes_of
        if mine is not None:
            self._job_of(job_id, mine)
        with self.database.write() as connection:
            cancelled = jobs.cancel(connection, job_id)
        job = self._job_of(job_id, mine)
        if cancelled is None and job.state != jobs.State.CANCELLED:
            raise errors.NotCancellable(job_id=job_id, state=str(job.state))
        return job

    def retry(self, job_id: str, client: Caller) -> jobs.Job:
        """Queue a failed or cancelled job again.

        Raises JobNotFound, JobDeleted, NotRetryable, DocumentMissing, TooManyOpenJobs.
        """
        before = self._job_of(job_id, client.changes_of)
        if not self.blobs.path(before.sha256).exists():
            raise errors.DocumentMissing(sha256=before.sha256)
        with self.database.write() as connection:
            check_open_jobs(self, connection, before.key_id, 1)
            job = jobs.retry(connection, job_id, attempts=self.settings.max_attempts, is_published=True)
        if job is None:
            raise errors.NotRetryable(job_id=job_id, state=str(self._job_of(job_id, None).state))
        queue.publish(self.queue, job.id, job.priority)
        return self._job_of(job_id, None)

    def retry_failed(self, which: jobs.Failed, limit: int) -> tuple[list[str], list[str]]:
        """Queue failed jobs again, the sweeper publishes them; return the ids, and those whose upload is gone.

        Raises TooManyOpenJobs where a key may not have so many; what was queued before that stays so.
        """
        retried: list[str] = []
        missing: list[str] = []
        last = ""
        while len(retried) < limit:
            with self.database.read() as connection:
                found = jobs.failed(connection, which, limit=limit - len(retried), after=last)
            if not found:
                break
            last = found[-1].id
            whole = [job.id for job in found if self.blobs.path(job.sha256).exists()]
            missing += [job.id for job in found if job.id not in whole]
            with self.database.write() as connection:
                check_open_jobs(self, connection, which.key_id, len(whole))
                attempts = self.settings.max_attempts
                moved = [jobs.retry(connection, one, attempts=attempts, is_published=False) for one in whole]
            retried += [job.id for job in moved if job]
        return retried, missing

    def delete(self, job_id: str, client: Caller) -> None:
        """Delete a job with its text, and its upload if no other job needs it. Raises JobNotFound, JobDeleted."""
        job = self._job_of(job_id, client.changes_of)
        with self.database.write() as connection:
            jobs.cancel(connection, job_id)
            jobs.erase(connection, job_id)
        self.discard(job.sha256)

    def discard(self, sha256: str) -> None:
        """Delete an upload unless a job needs it. What cannot be done now is left to the sweeper."""

        def is_needed() -> bool:
            with self.database.read() as connection:
                return bool(uploads.needed(connection, [sha256]))

        try:
            self.blobs.discard(sha256, is_needed)
        except (errors.DatabaseUnavailable, OSError) as error:
            log.warning(
                "An upload was not deleted; the sweeper does it.",
                event_name="upload.not_deleted",
                error=str(error),
            )

    def job_after(self, job_id: str, seconds: float | None, client: Caller) -> jobs.Job:
        """The job once it has ended, or as it is after so many seconds; None does not wait, nor do too many at once."""
        job = self.job(job_id, client)
        if not seconds or job.is_final:
            return job
        with self.waiting.place() as taken:
            if not taken:
                return job
            self.waiting.until_final(job_id, seconds)
        return self.job(job_id, client)
