"""What clients order of jobs: take a document in, look at a job, wait for it, cancel, try again, delete."""

from __future__ import annotations

import structlog

from api.service.accept import Accepted, Envelope, accept
from api.service.caller import NOBODY, Caller
from api.service.capacity import check_open_jobs
from api.service.discard import discard
from api.service.parts import Parts
from api.service.upload import Upload
from shared import clock, errors, ids, jobs, queue
from shared.audit import trail
from shared.jobs import batches
from shared.jobs.idempotency import Key

log = structlog.get_logger(__name__)


def submit(parts: Parts, upload: Upload, client: Caller, key: Key | None = None) -> Accepted:
    """Accept one document; see ``accept``."""
    return accept(parts, [upload], Envelope(client.shown_address, client.key_id, key))


def job_of(parts: Parts, accepted: Accepted, seconds: float | None) -> jobs.Job:
    """The job of a submission: as it was accepted, or after so many seconds."""
    if accepted.is_replay or accepted.jobs[0].is_final:
        return job_after(parts, accepted.subject, seconds, NOBODY)  # whoever was given its id may see it
    if seconds:
        return _ended(parts, accepted.jobs[0], seconds, NOBODY)
    with parts.database.read() as connection:
        return jobs.with_position(connection, accepted.jobs[0])


def find(parts: Parts, job_id: str, client: Caller) -> jobs.Job:
    """The job with its result, if the client may see it; raises JobNotFound or JobDeleted."""
    return _find_of(parts, job_id, client.reads_of)


def find_own(parts: Parts, job_id: str, client: Caller) -> jobs.Job:
    """The job with its result, if the client may change it; raises JobNotFound or JobDeleted."""
    return _find_of(parts, job_id, client.changes_of)


def note_read(parts: Parts, job: jobs.Job, client: Caller) -> None:
    """Write an audit event if the client is shown what another key submitted."""
    if client.is_stranger_to(job.key_id):
        with parts.database.write() as connection:
            trail.record(
                connection,
                event=trail.Event.READ,
                actor=client.actor,
                job_id=job.id,
                attempt=job.attempt,
                sha256=job.sha256,
                outcome=str(job.state),
            )


def _find_of(parts: Parts, job_id: str, key_id: str | None) -> jobs.Job:
    """The job, of this key or of anybody: another's is answered like none at all."""
    if not ids.is_id(job_id, "job"):
        raise errors.JobNotFound(job_id=job_id[:64])
    with parts.database.read() as connection:
        found = jobs.get(connection, job_id)
        if (
            found is None
            and trail.has_event(connection, job_id, trail.Event.DELETED)
            and (key_id is None or trail.has_event(connection, job_id, trail.Event.SUBMITTED, key_id=key_id))
        ):
            raise errors.JobDeleted(job_id=job_id)
    if found is None or key_id not in (None, found.key_id):
        raise errors.JobNotFound(job_id=job_id)
    return found


def cancel(parts: Parts, job_id: str, client: Caller) -> jobs.Job:
    """Cancel a job; one that is cancelled already is fine, too. Raises JobNotFound, JobDeleted, NotCancellable."""
    mine = client.changes_of
    if mine is not None:
        _find_of(parts, job_id, mine)
    with parts.database.write() as connection:
        cancelled = jobs.cancel(connection, job_id, actor=client.actor)
    job = _find_of(parts, job_id, mine)
    if cancelled is None and job.state != jobs.State.CANCELLED:
        raise errors.NotCancellable(job_id=job_id, state=str(job.state))
    return job


def cancel_batch(parts: Parts, batch_id: str, client: Caller) -> list[str]:
    """Cancel the open jobs of a batch; return their ids. Raises BatchNotFound."""
    with parts.database.read() as connection:
        batch = batches.get(connection, batch_id) if ids.is_id(batch_id, "bat") else None
        if batch is None or client.changes_of not in (None, batch.key_id):
            raise errors.BatchNotFound(batch_id=batch_id[:64])
        found = jobs.open_of_batch(connection, batch_id)
    with parts.database.write() as connection:
        moved = [jobs.cancel(connection, job_id, actor=client.actor) for job_id in found]
    return [job.id for job in moved if job is not None]


def retry(parts: Parts, job_id: str, client: Caller) -> jobs.Job:
    """Queue a failed or cancelled job again.

    Raises JobNotFound, JobDeleted, NotRetryable, DocumentMissing, TooManyOpenJobs.
    """
    before = _find_of(parts, job_id, client.changes_of)
    if not parts.blobs.exists(before.sha256):
        raise errors.DocumentMissing(sha256=before.sha256)
    with parts.database.write() as connection:
        check_open_jobs(parts, connection, before.key_id, 1)
        attempts = parts.settings.max_attempts
        job = jobs.retry(connection, job_id, attempts=attempts, is_published=True, actor=client.actor)
    if job is None:
        raise errors.NotRetryable(job_id=job_id, state=str(_find_of(parts, job_id, None).state))
    queue.publish(parts.queue, job.id, job.priority)
    return _find_of(parts, job_id, None)


def retry_failed(parts: Parts, which: jobs.Failed, limit: int, client: Caller) -> tuple[list[str], list[str]]:
    """Queue failed jobs again, the sweeper publishes them; return the ids, and those whose upload is gone.

    Raises TooManyOpenJobs where a key may not have so many; what was queued before that stays so.
    """
    retried: list[str] = []
    missing: list[str] = []
    last = ""
    while len(retried) < limit:
        with parts.database.read() as connection:
            found = jobs.failed(connection, which, limit=limit - len(retried), after=last)
        if not found:
            break
        last = found[-1].id
        whole = [job.id for job in found if parts.blobs.exists(job.sha256)]
        missing += [job.id for job in found if job.id not in whole]
        with parts.database.write() as connection:
            check_open_jobs(parts, connection, which.key_id, len(whole))
            attempts = parts.settings.max_attempts
            moved = [
                jobs.retry(connection, one, attempts=attempts, is_published=False, actor=client.actor) for one in whole
            ]
        retried += [job.id for job in moved if job]
    return retried, missing


def delete(parts: Parts, job_id: str, client: Caller) -> None:
    """Delete a job with its text, and its upload if no other job needs it. Raises JobNotFound, JobDeleted."""
    job = _find_of(parts, job_id, client.changes_of)
    with parts.database.write() as connection:
        jobs.cancel(connection, job_id, actor=client.actor)
        jobs.erase(connection, job_id, actor=client.actor)
    discard(parts, job.sha256)


def job_after(parts: Parts, job_id: str, seconds: float | None, client: Caller) -> jobs.Job:
    """The job once it has ended, or as it is after so many seconds; None does not wait, nor do too many at once."""
    job = find(parts, job_id, client)
    return job if not seconds or job.is_final else _ended(parts, job, seconds, client)


def _ended(parts: Parts, job: jobs.Job, seconds: float, client: Caller) -> jobs.Job:
    """An open job once it has ended, or as it is after so many seconds."""
    until = clock.monotonic() + seconds
    with parts.waiting.place() as taken:
        while taken:
            left = until - clock.monotonic()
            parts.waiting.until_final(job.id, max(0.0, left))
            job = find(parts, job.id, client)
            if left <= 0 or job.is_final:
                return job
    return find(parts, job.id, client)
