"""Taking documents in: checked, made durable, committed, and only then announced to the workers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import structlog
from sqlalchemy import Connection

from api.service.capacity import Readers, admit, check_open_jobs
from api.service.discard import discard
from api.service.parts import Parts
from api.service.upload import Upload
from shared import errors, jobs, queue
from shared.jobs import batches, company, idempotency
from shared.jobs.idempotency import Key
from shared.telemetry import trace
from shared.uploads import header as document

log = structlog.get_logger(__name__)

NEW = "new"
"""In place of a batch's id, which always has a prefix."""


@dataclasses.dataclass(frozen=True)
class Envelope:
    """What documents of one request have in common."""

    client_ip: str | None
    """Where they come from, as far as it is stored."""
    key_id: str | None = None
    """The API key that sends them."""
    key: Key | None = None
    """The Idempotency-Key, if one was sent."""
    is_batch: bool = False
    """Whether they become a batch."""
    joins: str | None = None
    """The batch that they join; ``NEW``: one that they begin, and that others will join."""
    reference: str | None = None
    """The client's name for the batch."""


@dataclasses.dataclass(frozen=True)
class Accepted:
    """What a request got: now, or the first time that it was sent."""

    subject: str
    """Id of the job, or of the batch."""
    jobs: tuple[jobs.Job, ...]
    """The jobs, in the order of the documents; empty for a replay."""
    is_replay: bool = False
    """Whether an earlier request with the same key was answered so."""


class _Late(Exception):  # noqa: N818  (reads as what happened)
    """Another process stored the key first; the transaction is rolled back."""


def accept(parts: Parts, sent: Sequence[Upload], envelope: Envelope) -> Accepted:
    """Accept documents: all of them in one transaction, or none.

    Raises:
        DocumentError, InvalidWebhookUrl, UnknownModel, NoStrongerModel, Saturated, NoWorkers, StorageFull,
        TooManyOpenJobs, BatchNotFound, TooManyDocuments, IdempotencyMismatch, IdempotencyInFlight: nothing was stored.
    """
    submissions = [submission_of(parts, upload, envelope) for upload in sent]
    with parts.in_flight.hold(envelope.key):
        earlier = replay(parts, envelope.key)
        if earlier is not None:
            return earlier
        for url in {submission.webhook for submission in submissions if submission.webhook is not None}:
            parts.guard.check(url)  # once for a batch: a look-up of its name may take seconds
        readers = admit(parts, [upload.options for upload in sent])
        try:
            for upload in sent:
                parts.blobs.put(upload.content, upload.sha256)
            accepted = _store(parts, sent, submissions, envelope, readers)
        except _Late:
            first = replay(parts, envelope.key)
            assert first is not None, "the transaction that was faster has committed"
            return first
        except (errors.StorageFull, errors.TooManyOpenJobs, errors.BatchNotFound, errors.TooManyDocuments):
            _give_up(parts, {submission.sha256 for submission in submissions})
            raise
    for upload, job in zip(sent, accepted.jobs, strict=True):
        parts.blobs.keep(job.sha256, upload.content)
        if job.published_at is not None:
            queue.publish(parts.queue, job.id, job.priority)
        log.info("A job was accepted.", event_name="job.submitted", job_id=job.id, client_ip=envelope.client_ip)
    return accepted


def submission_of(parts: Parts, upload: Upload, envelope: Envelope) -> jobs.Submission:
    """What becomes of one upload; raises DocumentError."""
    header = document.inspect(upload.content, parts.settings.limits, upload.options.pages)
    return jobs.Submission(
        sha256=upload.sha256,
        media_type=header.media_type,
        size_bytes=len(upload.content),
        page_count=header.page_count,
        width=header.width,
        height=header.height,
        options=upload.options.of_recognition(),
        client_ip=envelope.client_ip,
        reference=upload.options.reference,
        filename=upload.options.filename,
        metadata=upload.options.metadata,
        deadline_seconds=upload.options.deadline_seconds,
        priority=upload.options.priority,
        webhook=upload.options.webhook,
        key_id=envelope.key_id,
        request_id=trace.current().request_id,
        traceparent=trace.current().traceparent,
    )


def replay(parts: Parts, key: Key | None) -> Accepted | None:
    """The answer to the first request with this key, if there was one; raises IdempotencyMismatch."""
    if key is None:
        return None
    with parts.database.read() as connection:
        use = idempotency.find(connection, key, age_seconds=parts.settings.idempotency_seconds)
    if use is None:
        return None
    if use.fingerprint != key.fingerprint:
        raise errors.IdempotencyMismatch()
    return Accepted(use.subject, (), is_replay=True)


def _store(
    parts: Parts,
    sent: Sequence[Upload],
    submissions: Sequence[jobs.Submission],
    envelope: Envelope,
    readers: Readers,
) -> Accepted:
    """The one transaction; raises _Late, TooManyOpenJobs, BatchNotFound or TooManyDocuments."""
    with parts.database.write() as connection:
        check_open_jobs(parts, connection, envelope.key_id, len(sent))
        batch_id = _batch(parts, connection, envelope, len(sent))
        if batch_id is not None:
            submissions = [dataclasses.replace(submission, batch_id=batch_id) for submission in submissions]
        stored = tuple(
            _submit(
                parts,
                connection,
                submission,
                readers.of(upload.options) if upload.options.dedupe else None,
                is_published=number % company.FOR_EACH_MESSAGE == 0 or not company.is_small(submission),
            )
            for number, (upload, submission) in enumerate(zip(sent, submissions, strict=True))
        )
        subject = batch_id if envelope.is_batch and batch_id else stored[0].id
        seconds = parts.settings.idempotency_seconds
        if envelope.key and not idempotency.remember(connection, envelope.key, subject, age_seconds=seconds):
            raise _Late
    return Accepted(subject, stored)


def _batch(parts: Parts, connection: Connection, envelope: Envelope, count: int) -> str | None:
    """The batch that the documents belong to, if any: a new one, or one that grows."""
    if envelope.is_batch or envelope.joins == NEW:
        return batches.submit(
            connection,
            reference=envelope.reference,
            client_ip=envelope.client_ip,
            document_count=count,
            key_id=envelope.key_id,
        ).id
    most, joins = parts.settings.max_batch_documents, envelope.joins
    if joins is None or batches.grow(connection, joins, key_id=envelope.key_id, count=count, most=most):
        return joins
    found = batches.get(connection, joins)
    if found is None or found.key_id != envelope.key_id:
        raise errors.BatchNotFound(batch_id=joins[:64])
    raise errors.TooManyDocuments(documents=found.document_count + count, max_documents=most)


def _submit(
    parts: Parts, connection: Connection, submission: jobs.Submission, reader: str | None, *, is_published: bool
) -> jobs.Job:
    attempts = parts.settings.max_attempts
    if reader is not None:
        source = jobs.equal_success(
            connection,
            sha256=submission.sha256,
            options_sha256=submission.options_sha256,
            reader_sha256=reader,
            key_id=submission.key_id,
        )
        copy = source and jobs.submit_copy(connection, submission, source, max_attempts=attempts)
        if copy:
            return copy
    return jobs.submit(connection, submission, max_attempts=attempts, is_published=is_published)


def _give_up(parts: Parts, sha256s: set[str]) -> None:
    """Leave no upload behind where the job could not be stored; the sweeper finds what stays."""
    for sha256 in sha256s:
        discard(parts, sha256)
