"""The use cases behind the HTTP door: take a document in, look at a job, wait for it."""

from __future__ import annotations

import dataclasses

import structlog
from celery import Celery

from api.intake import Upload
from api.waiting import Waiting
from shared import document, errors, ids, jobs, queue
from shared.blobs import Blobs
from shared.database import Database
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
    guard: Guard = dataclasses.field(default_factory=Guard)
    """Says where webhooks may go; the public internet alone, unless the settings allow more."""

    def submit(self, upload: Upload, client_ip: str | None) -> jobs.Job:
        """Accept a document: checked, made durable, committed, and only then announced to the workers.

        Raises:
            DocumentError, InvalidWebhookUrl, Saturated: nothing was stored.
        """
        header = document.inspect(upload.content, self.settings.limits)
        if upload.options.webhook is not None:
            self.guard.check(upload.options.webhook)
        self.admit()
        submission = jobs.Submission(
            sha256=self.blobs.put(upload.content),
            media_type=header.media_type,
            size_bytes=len(upload.content),
            page_count=header.page_count,
            width=header.width,
            height=header.height,
            options={"layout": upload.options.layout},
            client_ip=client_ip,
            reference=upload.options.reference,
            priority=upload.options.priority,
            webhook=upload.options.webhook,
        )
        with self.database.write() as connection:
            job = jobs.submit(connection, submission, max_attempts=self.settings.max_attempts)
        queue.publish(self.queue, job.id, job.priority)
        log.info("A job was accepted.", event_name="job.submitted", job_id=job.id, client_ip=client_ip)
        return job

    def admit(self) -> None:
        """Refuse while too many jobs wait; raises Saturated."""
        with self.database.read() as connection:
            waiting = jobs.backlog(connection)
        if waiting >= self.settings.backlog_limit:
            raise errors.Saturated(backlog=waiting, limit=self.settings.backlog_limit)

    def job(self, job_id: str) -> jobs.Job:
        """The job with its result; raises JobNotFound."""
        found = None
        if ids.is_id(job_id, "job"):
            with self.database.read() as connection:
                found = jobs.get(connection, job_id)
        if found is None:
            raise errors.JobNotFound(job_id=job_id[:64])
        return found

    def job_after(self, job_id: str, seconds: float | None) -> jobs.Job:
        """The job once it has ended, or as it is after so many seconds; None does not wait, nor do too many at once."""
        job = self.job(job_id)
        if not seconds or job.is_final:
            return job
        with self.waiting.place() as taken:
            if not taken:
                return job
            self.waiting.until_final(job_id, seconds)
        return self.job(job_id)
