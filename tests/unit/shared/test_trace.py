"""Request ids and W3C trace context, as they are taken over or not."""

from __future__ import annotations

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as some

from shared.telemetry import trace
from shared.telemetry.trace import Trace

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (f"00-{TRACE_ID}-{SPAN_ID}-01", f"00-{TRACE_ID}-{SPAN_ID}-01"),
        (f" 00-{TRACE_ID}-{SPAN_ID}-00 ", f"00-{TRACE_ID}-{SPAN_ID}-00"),
        (f"01-{TRACE_ID}-{SPAN_ID}-01-more", f"00-{TRACE_ID}-{SPAN_ID}-01"),
        (f"00-{TRACE_ID}-{SPAN_ID}-01-more", None),
        (f"ff-{TRACE_ID}-{SPAN_ID}-01", None),
        (f"00-{'0' * 32}-{SPAN_ID}-01", None),
        (f"00-{TRACE_ID}-{'0' * 16}-01", None),
        (f"00-{TRACE_ID.upper()}-{SPAN_ID}-01", None),
        (f"00-{TRACE_ID}-{SPAN_ID}", None),
        ("", None),
        (None, None),
    ],
)
def test_a_trace_context_is_kept_where_w3c_says_that_it_is_one(given: str | None, kept: str | None) -> None:
    assert trace.traceparent_of(given) == kept
    assert Trace("r", kept).trace_id == (TRACE_ID if kept else None)


@given(some.text(max_size=100))
def test_whatever_a_client_sends_fits_into_its_columns(text: str) -> None:
    request_id, parent = trace.request_id_of(text), trace.traceparent_of(text)
    assert 1 <= len(request_id) <= trace.MAX_REQUEST_ID_LENGTH
    assert request_id.isascii() and request_id.isprintable()
    assert parent is None or len(parent) == 55


def test_a_trace_is_bound_to_log_lines_for_as_long_as_its_block() -> None:
    outer, inner = Trace("outer"), Trace("inner", f"00-{TRACE_ID}-{SPAN_ID}-01")
    trace.begin(outer)
    with trace.bound(inner, job_id="job_1"):
        assert trace.current() == inner
        bound = {"request_id": "inner", "trace_id": TRACE_ID, "job_id": "job_1"}
        assert structlog.contextvars.get_contextvars() == bound
    assert trace.current() == outer
    assert structlog.contextvars.get_contextvars() == {"request_id": "outer"}
    trace.begin(Trace())
    assert structlog.contextvars.get_contextvars() == {}
