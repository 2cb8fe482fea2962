"""What the sweeper does beside its urgent work: delete what has reached its age. Any number may do it at once.

Everything is done in small portions, so that no write holds up a submission for long.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import structlog

from shared import clock, jobs, registry, workers
from shared.audit import chain, partitions, retention, trail
from shared.audit.actor import SWEEPER
from shared.audit.chain import Sealer
from shared.database import Database
from shared.jobs import batches, idempotency
from shared.settings import Settings
from shared.uploads.store import UploadStore

log = structlog.get_logger(__name__)

FOLDER_SECONDS = 10.0
"""Pause between two of the 256 folders of uploads; all of them take about three quarters of an hour."""
REST_SECONDS = 60.0
"""Pause between two rounds of the rest."""
SEAL_SECONDS = 10.0
"""Pause between two seals of the audit trail, where fewer events come than one seal takes."""
LEAST_SECONDS = 3600.0
"""No upload is deleted by age that was written later: its job may be just about to be accepted."""
BATCH_SECONDS = 3600.0
"""A batch whose jobs are all deleted is forgotten when it is so old."""
PORTION = 100


@dataclass(frozen=True)
class Ages:
    """How long things are kept, in seconds; 0: for ever."""

    uploads: float
    """The bytes, from the end of the last job that needed them."""
    results: float
    """The job with its text, from its end."""
    audit: float
    """Audit events, from their writing."""
    idempotency: float
    """Keys of submissions."""

    @classmethod
    def of(cls, settings: Settings) -> Ages:
        """Return what the operator has chosen."""
        return cls(
            uploads=settings.keep_uploads_seconds,
            results=settings.keep_results_seconds,
            audit=settings.keep_audit_seconds,
            idempotency=settings.idempotency_seconds,
        )


class Tidy:
    """Does what is due each time it is called."""

    def __init__(self, database: Database, blobs: UploadStore, ages: Ages) -> None:
        self._database = database
        self._blobs = blobs
        self._ages = ages
        self._folder = random.randrange(256)
        self._sealer = Sealer(database)
        self._folder_at = self._rest_at = self._seal_at = clock.monotonic()

    def __call__(self) -> None:
        """Do what is due. Raises DatabaseUnavailable; the next call goes on. A folder that fails is logged."""
        try:
            self._do_what_is_due()
        except OSError as error:
            log.warning(
                "Old uploads could not be deleted. Check the folder of the uploads.",
                event_name="tidy.failed",
                error=str(error),
            )

    def _do_what_is_due(self) -> None:
        if clock.monotonic() >= self._seal_at:
            self._seal_at = clock.monotonic() + SEAL_SECONDS  # also where it fails: the rest must not wait for it
            if self._sealer.seal():
                self._seal_at = clock.monotonic()
        if clock.monotonic() - self._folder_at >= FOLDER_SECONDS:
            self._folder_at = clock.monotonic()
            self._folder = (self._folder + 1) % 256
            delete_uploads(self._database, self._blobs, f"{self._folder:02x}", age_seconds=self._ages.uploads)
        if clock.monotonic() - self._rest_at >= REST_SECONDS:
            self._rest_at = clock.monotonic()
            if self._delete_rows():
                self._rest_at -= REST_SECONDS

    def _delete_rows(self) -> bool:
        """Delete a portion of what has reached its age. True: more has, and the next round should go on."""
        is_more = len(delete_jobs(self._database, self._blobs, age_seconds=self._ages.results)) == PORTION
        with self._database.write() as connection:
            workers.forget_dead(connection)
            registry.forget_old(connection)
            idempotency.forget_old(connection, age_seconds=self._ages.idempotency)
            batches.forget_empty(connection, age_seconds=BATCH_SECONDS)
        partitions.ensure_months(self._database)
        if self._ages.audit:
            is_more = retention.forget_old(self._database, age_seconds=self._ages.audit) > 0 or is_more
        return is_more


def delete_uploads(database: Database, blobs: UploadStore, prefix: str, *, age_seconds: float) -> list[str]:
    """Delete uploads of one folder that no job needs any more; return their SHA-256.

    No more than about a portion at a time: leases must not wait for it.

    Args:
        database: Where the jobs are.
        blobs: Where the uploads are.
        prefix: Two hexadecimal digits: the folder.
        age_seconds: An upload is deleted so long after the end of its last job; 0: only orphans are deleted.
    """
    old = list(blobs.stored(prefix, before=clock.now().timestamp() - LEAST_SECONDS))
    deleted: list[str] = []
    for start in range(0, len(old), PORTION):
        if len(deleted) >= PORTION:
            break
        portion = dict(old[start : start + PORTION])
        for sha256 in _kept(database, portion, age_seconds=age_seconds):
            blobs.bring_back(sha256)
            del portion[sha256]
        deleted += [one for one in portion if delete_upload(database, blobs, one, age_seconds=age_seconds or None)]
    if deleted:
        log.info("Uploads that no job needs were deleted.", event_name="tidy.uploads", count=len(deleted))
    return deleted


def _kept(database: Database, portion: dict[str, float], *, age_seconds: float) -> set[str]:
    """Which of the uploads (with the times of their writing) stay.

    An orphan that is older than this database is not its own: the folder was kept and the database is new, or a
    restore is under way. It is left alone.
    """
    with database.read() as connection:
        known = jobs.needed_uploads(connection, portion)
        kept = jobs.needed_uploads(connection, portion, age_seconds=age_seconds) if age_seconds else known
        born = chain.born_at(connection)
    orphans = portion.keys() - known
    return kept | {sha256 for sha256 in orphans if born is None or portion[sha256] < born.timestamp()}


def delete_upload(database: Database, blobs: UploadStore, sha256: str, *, age_seconds: float | None) -> bool:
    """Delete one upload unless a job needs it after all, and note it in the audit trail."""

    def is_needed() -> bool:
        with database.read() as connection:
            return bool(jobs.needed_uploads(connection, [sha256], age_seconds=age_seconds))

    if not blobs.discard(sha256, is_needed):
        return False
    with database.write() as connection:
        trail.record(connection, event=trail.Event.UPLOAD_DELETED, actor=SWEEPER, sha256=sha256)
    return True


def delete_jobs(database: Database, blobs: UploadStore, *, age_seconds: float) -> list[str]:
    """Delete jobs that ended longer ago, with their text; 0 keeps all. Return their ids."""
    if not age_seconds:
        return []
    with database.read() as connection:
        old = jobs.ended_before(connection, age_seconds, limit=PORTION)
    if not old:
        return []
    with database.write() as connection:
        erased = [job for job_id in old if (job := jobs.erase(connection, job_id, actor=SWEEPER))]
    for sha256 in {job.sha256 for job in erased}:
        delete_upload(database, blobs, sha256, age_seconds=None)
    log.info("Jobs reached their age and were deleted.", event_name="tidy.jobs", count=len(erased))
    return [job.id for job in erased]
