"""Spans are off unless wanted, and a wish that cannot be fulfilled is told at the start."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from shared.cli import main
from shared.settings import Settings
from shared.telemetry import spans

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def without_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the extra is not installed."""
    for name in [name for name in sys.modules if name.split(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)


@pytest.mark.parametrize(
    ("otel", "endpoint", "wanted"),
    [("auto", "", False), ("auto", "http://c:4318", True), ("on", "", True), ("off", "http://c:4318", False)],
)
def test_spans_are_sent_where_an_endpoint_is_named_or_the_operator_says_so(
    otel: str, endpoint: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENDPOINT, endpoint)
    assert spans.is_wanted(Settings.load(otel=otel)) is wanted


@pytest.mark.usefixtures("without_library")
def test_without_the_library_the_endpoint_alone_is_no_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://c:4318")
    assert not spans.is_wanted(Settings.load())
    spans.set_up(Settings.load(), "api")


@pytest.mark.usefixtures("without_library")
@pytest.mark.parametrize("command", ["api", "worker"])
def test_a_wish_without_the_library_stops_the_process_with_the_way_out(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCRELAY_OTEL", "on")
    monkeypatch.setattr("shared.telemetry.logs.set_up", lambda _settings: None)
    ran = CliRunner().invoke(main, [command])
    assert ran.exit_code != 0
    assert "ocrelay[otel]" in (ran.output + str(ran.exception))


def test_without_spans_nothing_happens() -> None:
    span = spans.start("x", kind="server", parent="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
    assert span.traceparent is None
    span.rename("y")
    span.add_stages({"decode": 1.0})
    span.end({"a": 1}, is_error=True)
    spans.stop()
