"""Spans by OpenTelemetry, where the operator wants them and the extra `otel` is installed. Otherwise nothing happens.

Where they go, how many are kept and what goes along is set by OpenTelemetry's own variables, which its library reads.
Call ``set_up`` after a fork: the thread that sends does not survive one.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from shared import clock, errors
from shared.settings import Settings, has_otlp_endpoint

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

Kind = Literal["server", "consumer"]
FLUSH_MS = 3000

_provider: TracerProvider | None = None


class Span:
    """A span that has begun; where nobody traces, one that does nothing."""

    def __init__(self, span: OtelSpan | None) -> None:
        self._span = span

    @property
    def traceparent(self) -> str | None:
        """What makes other spans children of this one, in any process."""
        if self._span is None:
            return None
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def rename(self, name: str) -> None:
        """Give it another name."""
        if self._span is not None:
            self._span.update_name(name)

    def add_stages(self, stages_ms: Mapping[str, float]) -> None:
        """Add a child span for each stage, laid end to end up to now: only their lengths are measured."""
        if self._span is None:
            return
        from opentelemetry.trace import set_span_in_context

        at = clock.now().timestamp() - sum(stages_ms.values()) / 1000
        for name, milliseconds in stages_ms.items():
            span = _tracer().start_span(name, set_span_in_context(self._span), start_time=int(at * 1e9))
            at += milliseconds / 1000
            span.end(int(at * 1e9))

    def end(self, attributes: Mapping[str, str | int | float], *, is_error: bool = False) -> None:
        """End it now."""
        if self._span is None:
            return
        from opentelemetry.trace import StatusCode

        self._span.set_attributes(attributes)
        if is_error:
            self._span.set_status(StatusCode.ERROR)
        self._span.end()


def is_wanted(settings: Settings) -> bool:
    """Return whether spans are sent. Call it once before anything is forked.

    Raises:
        InvalidConfiguration: OCRELAY_OTEL is `on`, and the extra is not installed.
    """
    if settings.otel == "off" or (settings.otel == "auto" and not has_otlp_endpoint()):
        return False
    try:
        import opentelemetry.exporter.otlp.proto.http
        import opentelemetry.sdk  # noqa: F401
    except ModuleNotFoundError as error:
        if settings.otel == "on":
            raise errors.InvalidConfiguration(
                "OCRELAY_OTEL=on needs OpenTelemetry, which is not installed. Install ocrelay[otel], or unset it."
            ) from error
        return False
    return True


def set_up(settings: Settings, role: str) -> None:
    """Send the spans of this process from now on, if the settings say so."""
    global _provider  # noqa: PLW0603  (one for a process, as the library has it)
    if not is_wanted(settings):
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = {"service.name": f"ocrelay-{role}", "service.version": version("ocrelay")}
    _provider = TracerProvider(resource=Resource.create(resource))
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))


def stop() -> None:
    """Send what is left, within a few seconds."""
    if _provider is not None:
        _provider.force_flush(FLUSH_MS)


def start(name: str, *, kind: Kind, parent: str | None = None) -> Span:
    """Begin a span.

    Args:
        name: One of a few; no ids.
        kind: What it is in the trace.
        parent: ``traceparent`` of the span that it belongs to, maybe in another process.
    """
    if _provider is None:
        return Span(None)
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent} if parent else {})
    return Span(_tracer().start_span(name, context, SpanKind.SERVER if kind == "server" else SpanKind.CONSUMER))


def _tracer() -> Tracer:
    assert _provider is not None
    return _provider.get_tracer("ocrelay")
