"""Which request led to this work: its id and its W3C trace context, from the door to the last log line of the job.

Both are columns of the job, not headers of its message: a message may be lost, published again or overtaken, and every
attempt of the job shall still name the request that it came with. They ride on statements that are made anyway.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import structlog

from shared import ids

MAX_REQUEST_ID_LENGTH = 64
_REQUEST_ID = re.compile(rf"[A-Za-z0-9._:=+/@-]{{1,{MAX_REQUEST_ID_LENGTH}}}")
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True)
class Trace:
    """Where a piece of work comes from."""

    request_id: str | None = None
    """Given by the client in ``X-Request-ID``, or made by the API."""
    traceparent: str | None = None
    """W3C trace context: version, trace id, span id and flags; None: nobody traces."""

    @property
    def trace_id(self) -> str | None:
        """The 32 hexadecimal digits that all spans of one trace share."""
        return self.traceparent.split("-")[1] if self.traceparent else None

    def bound(self) -> dict[str, str]:
        """What every log line of this work holds."""
        found = {"request_id": self.request_id, "trace_id": self.trace_id}
        return {name: value for name, value in found.items() if value is not None}


_current: ContextVar[Trace] = ContextVar("trace", default=Trace())  # noqa: B039  (it is frozen)


def current() -> Trace:
    """Return where the work of this thread comes from; an empty one where nobody said."""
    return _current.get()


def begin(trace: Trace) -> None:
    """Make this the trace of the thread, and of its log lines alone, until the next one."""
    _current.set(trace)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**trace.bound())


@contextmanager
def bound(trace: Trace, **more: object) -> Iterator[None]:
    """Bind the trace and more to the log lines of a block."""
    token = _current.set(trace)
    try:
        with structlog.contextvars.bound_contextvars(**trace.bound(), **more):
            yield
    finally:
        _current.reset(token)


def request_id_of(given: str | None) -> str:
    """Return the id that a client gave, if it is short and of harmless characters; else a new one."""
    return given if given is not None and _REQUEST_ID.fullmatch(given) else ids.new("req")


def traceparent_of(given: str | None) -> str | None:
    """Return a ``traceparent`` in the form of version 00; None where it is missing or malformed, as W3C demands.

    Source: W3C Trace Context, 3.2: later versions may append fields, all-zero ids are invalid, version ff is forbidden.
    """
    found = _TRACEPARENT.fullmatch((given or "").strip())
    if found is None:
        return None
    version, trace_id, span_id, flags, more = found.groups()
    if version == "ff" or (version == "00" and more) or set(trace_id) == {"0"} or set(span_id) == {"0"}:
        return None
    return f"00-{trace_id}-{span_id}-{flags}"
