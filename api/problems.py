"""Errors on the wire: RFC 9457 `application/problem+json`, one shape for every way a request can fail."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from shared import errors
from shared.blobs import FULL

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
HTTP_ERRORS: dict[int, type[errors.OcrelayError]] = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.DocumentTooLarge,
}


def register(app: Flask) -> None:
    """Answer every error of the application with a problem document."""
    app.register_error_handler(errors.OcrelayError, of_error)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(OSError, of_disk)
    app.register_error_handler(Exception, of_accident)


def problem(error: errors.OcrelayError, status: int | None = None, **members: Any) -> Response:
    """The problem document of one error.

    Args:
        error: What went wrong.
        status: The HTTP status, where it is not the error's own.
        **members: Further members, such as the id of the job that failed.
    """
    status = status or error.http_status
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "instance": request.path,
        "code": error.code,
        "retryable": error.retryable,
        "details": error.details,
        **members,
    }
    response = jsonify(body)
    response.status_code, response.mimetype = status, MEDIA_TYPE
    if error.retryable:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def of_error(error: errors.OcrelayError) -> Response:
    """Our own errors say everything themselves."""
    return problem(error)


def of_http(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse, in our words where we have some."""
    status = error.code or 500
    if status < 400 and error.response is not None:  # redirects are exceptions, too
        return error.get_response()  # type: ignore[return-value]
    ours = HTTP_ERRORS.get(status, errors.RequestError if status < 500 else errors.Internal)()
    message = ours.message if status in HTTP_ERRORS or not error.description else f"{error.description} See /docs."
    answer = problem(type(ours)(message), status)
    answer.headers.extend({name: value for name, value in error.get_headers() if name == "Allow"})
    return answer


def of_disk(error: OSError) -> Response:
    """A full disk, wherever a request meets it (a large form is buffered in a file), has an answer of its own."""
    return problem(errors.StorageFull(reason=str(error))) if error.errno in FULL else of_accident(error)


def of_accident(_error: Exception) -> Response:
    """The boundary of the process: whatever it was, the client gets a problem and the log the reason."""
    log.exception(
        "A request failed unexpectedly. The client was told so; the reason is below.",
        event_name="request.failed",
        path=request.path,
    )
    return problem(errors.Internal())


def of_validation(error: ValidationError) -> Response:
    """A query parameter that is unknown or has a value that is not allowed."""
    return of_error(option_error(error))


def option_error(error: ValidationError) -> errors.RequestError:
    """The first complaint of pydantic as one of our errors; unknown names are told from wrong values."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return errors.UnknownOption(
            f"The option {name!r} is not known. Leave it out, or see /docs for the ones that are.", option=name
        )
    return errors.InvalidOption(f"{name}: {first['msg']}. See /docs for the values that are allowed.", option=name)
