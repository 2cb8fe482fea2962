"""Every error of ocrelay, in one tree.

A class carries what the outside needs to know: a stable ``code``, the HTTP status, whether trying the same again can
help (``retryable``), and the ``phase`` in which it arises. Its docstring is the default message and ends with the
way out. The names say what happened, so they do without the suffix "Error".
"""

# ruff: noqa: N818
from __future__ import annotations

from typing import Any, ClassVar


class OcrelayError(Exception):
    """Something unexpected went wrong. Look into the server's log for the reason."""

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    phase: ClassVar[str] = "internal"

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.message = message or " ".join((type(self).__doc__ or self.code).split())
        self.details = details
        super().__init__(self.message)

    def to_json(self) -> dict[str, Any]:
        """Return the ``error`` object of a job: code, message, retryable, phase, details."""
        return {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "phase": self.phase,
            "details": dict(self.details),
        }


# The document itself cannot be taken.


class DocumentError(OcrelayError):
    """The document cannot be read. Send a PNG, JPEG, WebP, BMP or TIFF image."""

    code = "document_error"
    http_status = 422
    phase = "inspect"


class EmptyDocument(DocumentError):
    """The document holds no bytes. Send the bytes of an image."""

    code = "empty_document"


class UnsupportedMediaType(DocumentError):
    """The content is not an image that can be read. Send a PNG, JPEG, WebP, BMP or TIFF image."""

    code = "unsupported_media_type"
    http_status = 415


class DocumentTooLarge(DocumentError):
    """The document holds too many bytes. Send a smaller file, or raise OCRELAY_MAX_DOCUMENT_BYTES on the server."""

    code = "document_too_large"
    http_status = 413


class TooManyPixels(DocumentError):
    """The image holds too many pixels. Scale it down, or raise OCRELAY_MAX_PIXELS on the server."""

    code = "too_many_pixels"
    http_status = 413


class TooManyPages(DocumentError):
    """The document holds too many pages. Split it, or raise OCRELAY_MAX_PAGES on the server."""

    code = "too_many_pages"
    http_status = 413


class UnreadableHeader(DocumentError):
    """The file starts like an image but its size cannot be read from its header. Send the complete file again."""

    code = "unreadable_header"


class ZeroSizeImage(DocumentError):
    """The image is zero pixels wide or high. Send an image with content."""

    code = "zero_size_image"


class TruncatedImage(DocumentError):
    """The image ends before its last row. Send the complete file again."""

    code = "truncated_image"
    phase = "decode"


class CorruptImage(DocumentError):
    """The image cannot be decoded. Save it anew with another program and send it again."""

    code = "corrupt_image"
    phase = "decode"


class QualityTooLow(DocumentError):
    """The image is too poor to be read, and this server refuses such. Scan or photograph it better; see `details`."""

    code = "quality_too_low"
    phase = "quality"


# The request cannot be taken.


class RequestError(OcrelayError):
    """The request cannot be understood. Compare it with the documentation under /docs."""

    code = "invalid_request"
    http_status = 422
    phase = "request"


class InvalidBase64(RequestError):
    """The image is not valid base64. Encode the file's bytes with standard base64."""

    code = "invalid_base64"


class MissingFile(RequestError):
    """The form holds no file. Send the image in the form field `file`."""

    code = "missing_file"


class UnknownOption(RequestError):
    """The option is not known. Leave it out, or take its name from the documentation under /docs."""

    code = "unknown_option"


class InvalidOption(RequestError):
    """The option has a value that is not allowed. Take an allowed value from the documentation under /docs."""

    code = "invalid_option"


class InvalidCursor(RequestError):
    """The cursor is not one that this server gave out. Start again from the first page."""

    code = "invalid_cursor"


class UnknownModel(RequestError):
    """No model has this name. Take a name from the list of models, or leave the option out."""

    code = "unknown_model"


class InvalidJson(RequestError):
    """The body is not valid JSON. Send one JSON object, encoded in UTF-8."""

    code = "invalid_json"
    http_status = 400


class NotFound(RequestError):
    """Nothing is here. Compare the address with the documentation under /docs."""

    code = "not_found"
    http_status = 404


class JobNotFound(NotFound):
    """No job has this id. Take the id from the answer to the submission."""

    code = "job_not_found"


class JobDeleted(RequestError):
    """The job was deleted, with its upload and its text. Submit the document again."""

    code = "job_deleted"
    http_status = 410


class BatchNotFound(NotFound):
    """No batch has this id. Take the id from the answer to its submission."""

    code = "batch_not_found"


class NotCancellable(RequestError):
    """The job has ended, so there is nothing to cancel. Look at the job itself for its end."""

    code = "not_cancellable"
    http_status = 409


class NotRetryable(RequestError):
    """Only a job that failed or was cancelled can be tried again. Look at the job itself for its state."""

    code = "not_retryable"
    http_status = 409


class IdempotencyMismatch(RequestError):
    """This Idempotency-Key came before with another document or other options. Take a new key for a new submission."""

    code = "idempotency_mismatch"


class IdempotencyInFlight(OcrelayError):
    """The first request with this Idempotency-Key is still being accepted. Send the same again in a moment."""

    code = "idempotency_in_flight"
    http_status = 409
    retryable = True
    phase = "request"


class TooManyDocuments(RequestError):
    """The batch holds too many documents. Send several batches, or raise OCRELAY_MAX_BATCH_DOCUMENTS on the server."""

    code = "too_many_documents"
    http_status = 413


class InvalidWebhookUrl(RequestError):
    """The webhook URL cannot be used. Give an http or https URL of a public address, without credentials."""

    code = "invalid_webhook_url"


class EndpointNotFound(NotFound):
    """No webhook endpoint has this id. Take the id from the list of endpoints."""

    code = "endpoint_not_found"


class EndpointBuiltIn(RequestError):
    """This endpoint stands for the URLs of single jobs and has none itself. Its secret can be shown and rotated."""

    code = "endpoint_built_in"
    http_status = 409


class EndpointDisabled(RequestError):
    """The webhook endpoint is disabled. Enable it with PATCH and `{"enabled": true}`, then try again."""

    code = "endpoint_disabled"
    http_status = 409


class DeliveryNotFound(NotFound):
    """No delivery has this id. Take the id from the list of deliveries, or from the header `webhook-id`."""

    code = "delivery_not_found"


class DeliveryRunning(RequestError):
    """An attempt of this delivery is on its way. Look at it again in some seconds."""

    code = "delivery_running"
    http_status = 409


class NoResult(RequestError):
    """The job has no result: it has not ended, or it failed. Look at the job itself for its state and error."""

    code = "no_result"
    http_status = 409


class MethodNotAllowed(RequestError):
    """This address does not take this method. Compare it with the documentation under /docs."""

    code = "method_not_allowed"
    http_status = 405


class ForbiddenClient(RequestError):
    """Without API keys only this machine itself is served. Call the server on 127.0.0.1."""

    code = "loopback_only"
    http_status = 403


# The server cannot serve right now, or not at all.


class Internal(OcrelayError):
    """The server made a mistake. Try again, and report it with the time of the request."""

    code = "internal_error"


class Saturated(OcrelayError):
    """Too many jobs are waiting. Try again later, or add workers."""

    code = "saturated"
    http_status = 503
    retryable = True
    phase = "request"


class NoWorkers(OcrelayError):
    """Jobs have been waiting for long and no worker was heard of. Try again later; the operator may start a worker."""

    code = "no_workers"
    http_status = 503
    retryable = True
    phase = "request"


class StillRunning(OcrelayError):
    """The job has not ended in the time that this call waits. Look at it under the address in `Location`."""

    code = "still_running"
    http_status = 504
    retryable = True
    phase = "request"


class DatabaseUnavailable(OcrelayError):
    """The database does not answer. Try again in a moment; the operator may look at OCRELAY_DATABASE_URL."""

    code = "database_unavailable"
    http_status = 503
    retryable = True


class StorageFull(DatabaseUnavailable):
    """The server's disk is full, so nothing was accepted. Try again later; the operator must make room."""

    code = "storage_full"
    http_status = 507


class NoLiveWorker(OcrelayError):
    """No worker child of this host was heard of lately. Look into the worker's log, and start it again."""

    code = "no_live_worker"
    phase = "start"


class NoLiveSweeper(OcrelayError):
    """No sweeper of this host did a round lately. Look into its log, and start it again."""

    code = "no_live_sweeper"
    phase = "start"


class InvalidConfiguration(OcrelayError):
    """The settings do not fit together. Correct the named OCRELAY_ variable and start again."""

    code = "invalid_configuration"
    phase = "start"


class AlreadyRunning(InvalidConfiguration):
    """Another `ocrelay up` works on this data directory. Stop it, or choose another directory with --data."""

    code = "already_running"


# A job ended without a result.


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


def by_code(code: str) -> type[OcrelayError]:
    """Return the class with this code: what a stored failure was; OcrelayError where the code is not known."""
    waiting = [OcrelayError]
    while waiting:
        found = waiting.pop()
        if found.__dict__.get("code") == code:
            return found
        waiting.extend(found.__subclasses__())
    return OcrelayError
