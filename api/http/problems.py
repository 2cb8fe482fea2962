"""Errors on the wire: RFC 9457 `application/problem+json`, one shape for every way a request can fail.

A browser that prefers HTML gets the same facts as a page, in the frame of the pages for people where it asked for one.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, current_app, jsonify, render_template, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from api.http import request_log
from shared import errors
from shared.telemetry import trace
from shared.uploads.blobs import FULL

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2
PAGE_POLICY = "default-src 'none'; frame-ancestors 'none'"
HTTP_ERRORS: dict[int, type[errors.OcrelayError]] = {
    400: errors.MalformedRequest,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    406: errors.NotAcceptable,
    408: errors.SlowBody,
    413: errors.DocumentTooLarge,
    414: errors.UriTooLong,
    415: errors.UnsupportedMediaType,
    416: errors.RangeNotSatisfiable,
    417: errors.ExpectationFailed,
    431: errors.HeadersTooLarge,
    501: errors.TransferNotSupported,
}
FRAMED = "framed_problem"
"""Extension of the application: makes the page of a problem document; None where no page was asked for."""
KEPT_HEADERS = {"allow", "content-range"}
"""Headers of Werkzeug's own answers that say more than the problem does."""


def register(app: Flask) -> None:
    """Answer every error of the application with a problem document."""
    app.register_error_handler(errors.OcrelayError, of_error)
    app.register_error_handler(HTTPException, of_http)
    app.register_error_handler(OSError, of_disk)
    app.register_error_handler(Exception, of_accident)


def document(
    error: errors.OcrelayError, status: int | None = None, *, instance: str, **members: Any
) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem document of one error and the headers that go with it.

    Args:
        error: What went wrong.
        status: The HTTP status, where it is not the error's own.
        instance: Path of the request.
        **members: Further members, such as the id of the job that failed.
    """
    status = status or error.http_status
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message,
        "instance": instance,
        "code": error.code,
        "retryable": error.retryable,
        "details": shown_details(error),
        "request_id": trace.current().request_id,
        **members,
    }
    return body, {"Retry-After": str(RETRY_AFTER_SECONDS)} if error.retryable else {}


def shown_details(error: errors.OcrelayError) -> dict[str, Any]:
    """What a client is told. The reason of a database or a disk names hosts, users and paths: it is for the log."""
    is_inner = isinstance(error, errors.DatabaseUnavailable)
    return {name: value for name, value in error.details.items() if not (is_inner and name == "reason")}


def problem(error: errors.OcrelayError, status: int | None = None, **members: Any) -> Response:
    """The answer to a request that failed, as JSON or as a page; see ``document``."""
    request_log.note_code(request.environ, error.code)
    body, headers = document(error, status, instance=request.path, **members)
    if request.accept_mimetypes.best_match([MEDIA_TYPE, "application/json", "text/html"]) == "text/html":
        response = current_app.extensions[FRAMED](body) or bare(body)
    else:
        response = jsonify(body)
        response.mimetype = MEDIA_TYPE
    response.status_code = body["status"]
    response.headers.extend(headers)
    response.vary.add("Accept")
    return response


def bare(body: dict[str, Any]) -> Response:
    """The page of a call of the API: all facts, and nothing else."""
    response = Response(render_template("problem.html", problem=body), mimetype="text/html")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    return response


def of_error(error: errors.OcrelayError) -> Response:
    """Our own errors say everything themselves, but for what the client is not told."""
    if isinstance(error, errors.DatabaseUnavailable):
        log.warning(
            "A request failed for want of the database or the disk.", event_name="request.unavailable", **error.details
        )
    return problem(error)


def of_http(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse, in our words where we have some."""
    status = error.code or 500
    if status < 400 and error.response is not None:  # redirects are exceptions, too
        return error.get_response()  # type: ignore[return-value]
    answer = problem(ours(error), status)
    answer.headers.extend({name: value for name, value in error.get_headers() if name.lower() in KEPT_HEADERS})
    return answer


def ours(error: HTTPException) -> errors.OcrelayError:
    """What says the same in our words."""
    status = error.code or 500
    kind = HTTP_ERRORS.get(status, errors.RequestError if status < 500 else errors.Internal)
    return kind(None if status in HTTP_ERRORS or not error.description else f"{error.description} See /docs.")


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
    if not name:
        reason = str(first["ctx"]["error"]) if first["type"] == "value_error" else first["msg"]
        return errors.InvalidOption(f"{reason[:1].upper()}{reason[1:]}. See /docs for what goes together.")
    if first["type"] == "extra_forbidden":
        return errors.UnknownOption(
            f"The option {name!r} is not known. Leave it out, or see /docs for the ones that are.", option=name
        )
    return errors.InvalidOption(f"{name}: {first['msg']}. See /docs for the values that are allowed.", option=name)
