"""The request is wrong."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.base import OcrelayError


class RequestError(OcrelayError):
    """The request cannot be understood. Compare it with the documentation under /docs."""

    code = "invalid_request"
    http_status = 422
    phase = "request"


class InvalidBase64(RequestError):
    """This is not base64. Encode the file's bytes in its standard or its URL alphabet, with or without padding."""

    code = "invalid_base64"


class MissingFile(RequestError):
    """The form holds no file. Send the image in the form field `file`."""

    code = "missing_file"


class InvalidForm(RequestError):
    """The body is called a form but cannot be read as one. Send it like curl -F file=@scan.png, and send all of it."""

    code = "invalid_form"
    http_status = 400


class FormTooLarge(RequestError):
    """The form holds more parts, or longer text, than options need. Send the file and the options that you choose."""

    code = "form_too_large"
    http_status = 413


class UnknownOption(RequestError):
    """The option is not known. Leave it out, or take its name from the documentation under /docs."""

    code = "unknown_option"


class InvalidOption(RequestError):
    """The option has a value that is not allowed. Take an allowed value from the documentation under /docs."""

    code = "invalid_option"


class NotAcceptable(RequestError):
    """None of the media types in `Accept` is one that results come in. Name a format by `format=`, or accept `*/*`."""

    code = "not_acceptable"
    http_status = 406


class InvalidCursor(RequestError):
    """The cursor is not one that this server gave out. Start again from the first page."""

    code = "invalid_cursor"


class UnknownModel(RequestError):
    """Not every worker has a model or detector of this name. Take one of those in `loaded`, or leave the option out."""

    code = "unknown_model"


class NoStrongerModel(RequestError):
    """Not every worker has a stronger model, so `quality` cannot be `best`. Leave it out, or install one on each
    machine with workers: `ocrelay models install ppocr-v6`.
    """

    code = "no_stronger_model"


class InvalidJson(RequestError):
    """The body is not valid JSON. Send one JSON object, encoded in UTF-8."""

    code = "invalid_json"
    http_status = 400


class NotAnObject(RequestError):
    """The JSON is not an object. Send one object, `{...}`, with members as the documentation under /docs names."""

    code = "not_an_object"


class NotFound(RequestError):
    """Nothing is here. Compare the address with the documentation under /docs."""

    code = "not_found"
    http_status = 404


class MethodNotAllowed(RequestError):
    """This address does not take this method. Compare it with the documentation under /docs."""

    code = "method_not_allowed"
    http_status = 405


class ForbiddenClient(RequestError):
    """Without API keys only this machine itself is served. Call it on 127.0.0.1, or make one: `ocrelay keys create`."""

    code = "loopback_only"
    http_status = 403


class TooManyDocuments(RequestError):
    """The batch holds too many documents. Send several batches, or raise OCRELAY_MAX_BATCH_DOCUMENTS on the server."""

    code = "too_many_documents"
    http_status = 413


class BatchNotFound(NotFound):
    """No batch has this id. Take the id from the answer to its submission."""

    code = "batch_not_found"


class IdempotencyMismatch(RequestError):
    """This Idempotency-Key came before with another document or other options. Take a new key for a new submission."""

    code = "idempotency_mismatch"


class IdempotencyInFlight(OcrelayError):
    """The first request with this Idempotency-Key is still being accepted. Send the same again in a moment."""

    code = "idempotency_in_flight"
    http_status = 409
    retryable = True
    phase = "request"
