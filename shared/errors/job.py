"""A job cannot do what is asked, or has failed."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.base import OcrelayError
from shared.errors.request import NotFound, RequestError


class JobNotFound(NotFound):
    """No job has this id. Take the id from the answer to the submission."""

    code = "job_not_found"


class JobDeleted(RequestError):
    """The job was deleted, with its upload and its text. Submit the document again."""

    code = "job_deleted"
    http_status = 410


class NotCancellable(RequestError):
    """The job has ended, so there is nothing to cancel. Look at the job itself for its end."""

    code = "not_cancellable"
    http_status = 409


class NotRetryable(RequestError):
    """Only a job that failed or was cancelled can be tried again. Look at the job itself for its state."""

    code = "not_retryable"
    http_status = 409


class CorrectionConflict(RequestError):
    """Somebody else corrected this line. Look at what it holds now, and correct that."""

    code = "correction_conflict"
    http_status = 409


class NoResult(RequestError):
    """The job has no result: it has not ended, or it failed. Look at the job itself for its state and error."""

    code = "no_result"
    http_status = 409


class JobError(OcrelayError):
    """The job failed. Submit the document again."""

    code = "job_failed"
    phase = "job"


class PoisonJob(JobError):
    """The job took its worker down or was abandoned at every attempt. Check the document, then submit it again."""

    code = "poison_job"


class TimeLimitExceeded(JobError):
    """Reading the document took too long. Split or shrink it, or raise OCRELAY_JOB_TIME_LIMIT_SECONDS on the server."""

    code = "time_limit_exceeded"


class DeadlineExceeded(JobError):
    """The job did not end before its deadline. Submit the document again with a later one, or retry it without."""

    code = "deadline_exceeded"


class JobCancelled(JobError):
    """The job was cancelled. Retry it, or submit the document again."""

    code = "job_cancelled"
    http_status = 409


class DocumentMissing(JobError):
    """The stored document is gone. Submit it again."""

    code = "document_missing"
    http_status = 410


class DocumentChanged(JobError):
    """The stored document is not the one that was submitted. Submit it again, and check the server's disk."""

    code = "document_changed"


class RecognitionFailed(JobError):
    """The recognition broke off. It is tried again by itself; the server's log holds the reason."""

    code = "recognition_failed"
    retryable = True
    phase = "recognition"
