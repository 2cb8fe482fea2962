"""What gunicorn refuses before there is a request: answered in the one shape, with an id and a line in the log."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from gunicorn import util
from gunicorn.http import errors as refused

from api.access.client_ip import truncated
from api.http import problems, request_log, security_headers
from api.server.slow_clients import PatientWorker
from shared import errors
from shared.telemetry import trace

log = structlog.get_logger(__name__)

KINDS: tuple[tuple[type[Exception], type[errors.OcrelayError]], ...] = (
    (refused.InvalidResponseHeader, errors.Internal),  # our own mistakes; they are subclasses of a client's
    (refused.InvalidResponseHeaderName, errors.Internal),
    (refused.ConfigurationProblem, errors.Internal),
    (refused.LimitRequestLine, errors.UriTooLong),
    (refused.LimitRequestHeaders, errors.HeadersTooLarge),
    (refused.UnsupportedTransferCoding, errors.TransferNotSupported),
    (refused.ExpectationFailed, errors.ExpectationFailed),
    (refused.ParseException, errors.MalformedRequest),
)


def of(exception: BaseException) -> errors.OcrelayError:
    """Our error for what gunicorn found. Its own words may repeat what the client sent, so they are not used."""
    for kind, ours in KINDS:
        if isinstance(exception, kind):
            return ours()
    return errors.Internal()


class Refusing:
    """Mixed into a worker of gunicorn, before its class: the words of its refusals."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what cannot be served, and say so in the log."""
        error = of(exc)
        request_id = trace.request_id_of(None)
        trace.begin(trace.Trace(request_id))
        path = str(getattr(req, "path", None) or "/")
        line = {
            "event_name": "request.refused",
            "method": getattr(req, "method", None),
            "path": request_log.quoted(path),
            "status": error.http_status,
            "code": error.code,
            "client_ip": truncated(addr[0], self.app.settings) if addr else None,  # type: ignore[attr-defined]
            "reason": type(exc).__name__,
        }
        if isinstance(error, errors.Internal):
            log.error("A request could not be served.", **line, exc_info=exc)
        else:
            log.info("A request was refused before it was one.", **line)
        try:
            util.write_nonblock(client, answer(error, path, request_id))
        except OSError as gone:
            log.debug("The client was gone before it was answered.", event_name="request.gone", error=str(gone))


class Worker(Refusing, PatientWorker):
    """gunicorn's worker with threads and an end to its patience, that refuses in our words."""


def answer(error: errors.OcrelayError, path: str, request_id: str) -> bytes:
    """A whole HTTP answer; nothing is known of what the client would accept, so it is JSON."""
    document, headers = problems.document(error, instance=path)
    body = json.dumps(document, ensure_ascii=False).encode()
    lines = {
        "Content-Type": problems.MEDIA_TYPE,
        "Content-Length": str(len(body)),
        "Connection": "close",
        request_log.HEADER: request_id,
        **security_headers.HEADERS,
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {error.http_status} {HTTPStatus(error.http_status).phrase}\r\n{head}\r\n".encode("latin-1") + body
