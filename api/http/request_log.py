"""Around every request: its id and trace, one log line, its counters, and a span where tracing is on.

It is WSGI, outside of Flask, so that whatever Flask answers, and a stream to its last byte, is seen here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import structlog
from werkzeug.wsgi import ClosingIterator

from api.http.counters import HttpMetrics
from api.http.facts import UNSTATED, Facts
from shared import clock
from shared.telemetry import spans, trace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger(__name__)

HEADER = "X-Request-ID"
MAX_PATH_LENGTH = 200
_ROUTE, _FACTS, _CLIENT_IP, _CODE = "ocrelay.route", "ocrelay.facts", "ocrelay.client_ip", "ocrelay.code"
_KEY = "ocrelay.refused_key"


def note_request(environ: WSGIEnvironment, *, route: str | None, facts: Facts | None, client_ip: str | None) -> None:
    """Say which route a request goes to, what is true of it, and who asks, as it is stored."""
    environ[_CLIENT_IP] = client_ip
    environ[_FACTS] = facts
    if route is not None:
        environ[_ROUTE] = route.replace("<path:", "{").replace("<", "{").replace(">", "}")


def note_code(environ: WSGIEnvironment, code: str) -> None:
    """Say with which error a request is answered."""
    environ[_CODE] = code


def code_of(environ: WSGIEnvironment) -> str | None:
    """The error with which a request is answered; None: with none."""
    code: str | None = environ.get(_CODE)
    return code


def note_key(environ: WSGIEnvironment, key_id: str) -> None:
    """Say which key was sent that may not do what is asked."""
    environ[_KEY] = key_id


def key_of(environ: WSGIEnvironment) -> str | None:
    """The key that may not do what is asked; None: none of ours was sent."""
    key_id: str | None = environ.get(_KEY)
    return key_id


def quoted(path: str) -> str:
    """A path for a log line: without query, without control characters, and not endless."""
    return quote(path[:MAX_PATH_LENGTH], safe="/:@!$&'()*+,;=~{}")


class RequestLog:
    """The application with the log around it."""

    def __init__(self, app: WSGIApplication, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        exchange = _Exchange(environ, self._metrics)
        try:
            answer = self._app(environ, exchange.starting(start_response))
        except BaseException:
            exchange.end()
            raise
        ends: list[Callable[[], None]] = [answer.close] if hasattr(answer, "close") else []
        return ClosingIterator(exchange.counting(answer), [*ends, exchange.end])


class _Exchange:
    """One request and its answer."""

    def __init__(self, environ: WSGIEnvironment, metrics: HttpMetrics) -> None:
        self._environ = environ
        self._metrics = metrics
        self._started = clock.monotonic()
        self._status = 500
        self._bytes = 0
        given = trace.traceparent_of(environ.get("HTTP_TRACEPARENT"))
        self._span = spans.start(self._method, kind="server", parent=given)
        request_id = trace.request_id_of(environ.get("HTTP_X_REQUEST_ID"))
        self._trace = trace.Trace(request_id, self._span.traceparent or given)
        trace.begin(self._trace)

    def starting(self, start_response: StartResponse) -> StartResponse:
        """Note the status, and add the id of the request."""

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            self._status = int(status.split(" ", 1)[0])
            kept = [(name, value) for name, value in headers if name.lower() != HEADER.lower()]
            return start_response(status, [*kept, (HEADER, str(self._trace.request_id))], exc_info)

        return start

    def counting(self, answer: Iterable[bytes]) -> Iterator[bytes]:
        """The answer, while its bytes are counted."""
        for part in answer:
            self._bytes += len(part)
            yield part

    def end(self) -> None:
        """Write the line, count, and end the span."""
        seconds = clock.monotonic() - self._started
        route = self._environ.get(_ROUTE, "unmatched")
        code = self._environ.get(_CODE)
        self._metrics.count(self._method, route, self._status, seconds)
        facts = self._environ.get(_FACTS) or UNSTATED
        if code is not None and facts.takes_upload:
            self._metrics.count_refused(code)
        line = {
            "event_name": "request.answered",
            "method": self._method,
            "path": quoted(self._environ.get("PATH_INFO", "")),
            "status": self._status,
            "duration_ms": round(seconds * 1000, 1),
            "bytes": self._bytes,
            "client_ip": self._environ.get(_CLIENT_IP),
            **({"code": code} if code is not None else {}),
        }
        level = "warning" if self._status >= 500 else "debug" if facts.is_quiet else "info"
        getattr(log, level)("A request was answered.", **line)
        self._span.rename(f"{self._method} {route}")
        attributes: dict[str, str | int] = {
            "http.request.method": self._method,
            "http.route": route,
            "http.response.status_code": self._status,
            "ocrelay.request_id": str(self._trace.request_id),
        }
        self._span.end(attributes, is_error=self._status >= 500)

    @property
    def _method(self) -> str:
        method = self._environ["REQUEST_METHOD"]
        return method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
