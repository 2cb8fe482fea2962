"""What the whole system tells of itself: log lines, spans, and numbers; and what it must never tell."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import make_url

from shared.settings import Settings
from tests.e2e.test_up import descendants
from tests.ports import free_port
from tests.receiver import Answer, Receiver
from tests.services import Process, wait_until

SAMPLES = Path(__file__).parents[2] / "docs" / "samples"
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PASSWORD, API_KEY = "pA55w0rdOfTheDatabase", "ocr_01abc_tHeSecretPartOfAKey"
FOREIGN = re.compile(r"ready |\d+:([A-Z]|signal-handler) ")
"""Lines that are no log lines of ours: what `up` prints on standard output, and what Valkey says."""


class System:
    """A running `ocrelay up` with JSON logs at the chattiest level, a receiver of webhooks, and one of spans."""

    def __init__(self, settings: Settings, folder: Path, hooks: Receiver, spans: Receiver) -> None:
        self.hooks, self._spans = hooks, spans
        self.up = Process(settings, "up", output=folder / "up.log")
        wait_until(lambda: "ready http" in self.up.said or self.up.status is not None, seconds=120, what="ready")
        assert self.up.status is None, self.up.said
        self.url = next(line for line in self.up.said.splitlines() if line.startswith("ready ")).split()[1]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        for name, value in {"Content-Type": kind, "Authorization": f"Bearer {API_KEY}", **headers}.items():
            request.add_header(name.replace("_", "-"), value)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                text = answer.read().decode()
                return answer.status, json.loads(text) if "json" in answer.headers["Content-Type"] else text
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line of every process."""
        whole = self.up.said.rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in whole if not FOREIGN.match(line)]

    @property
    def spans(self) -> list[tuple[str, Span]]:
        """(service, span) of all that was exported."""
        found = []
        for message in self._spans.messages:
            assert message.path == "/v1/traces"
            for sent in ExportTraceServiceRequest.FromString(message.body).resource_spans:
                names = {pair.key: pair.value.string_value for pair in sent.resource.attributes}
                found += [(names["service.name"], span) for scope in sent.scope_spans for span in scope.spans]
        return found

    def trace(self) -> dict[str, Span]:
        """Spans of the one trace, by name."""
        return {span.name: span for _, span in self.spans if span.trace_id.hex() == TRACE_ID}


@pytest.fixture(scope="module")
def system(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("observability")
    hooks = Receiver(lambda message: Answer(500 if message.path == "/broken" else 204))
    spans = Receiver(lambda _message: Answer(200))
    url = make_url(postgres.new_database()).set(password=PASSWORD).render_as_string(hide_password=False)
    settings = Settings.load(
        data_dir=folder / "data", database_url=url, workers=1, api_processes=1, port=free_port(),
        webhook_allowed_networks="127.0.0.1", log_format="json", log_level="DEBUG", otel="on",
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", spans.url(""))
        patch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
        system = System(settings, folder, hooks, spans)
    yield system
    system.up.end()
    hooks.close()
    spans.close()


@pytest.fixture(scope="module")
def job(system: System) -> dict[str, Any]:
    """A job that was read, submitted with an id and a trace, and whose webhook arrived."""
    status, job = system.call(
        "POST", f"/v1/jobs?layout=line&webhook={system.hooks.url('/hook')}", (SAMPLES / "line-mixed.png").read_bytes(),
        Prefer="wait=60", X_Request_ID="order-7", traceparent=f"00-{TRACE_ID}-{SPAN_ID}-01",
    )  # fmt: skip
    assert (status, job["state"]) == (200, "succeeded"), job
    system.hooks.wait_for(1)
    return dict(job)


def of_job(system: System, job_id: str, event: str) -> dict[str, Any]:
    """The one line with this event about a job; waits for it."""
    found: list[dict[str, Any]] = []

    def look() -> bool:
        found[:] = [line for line in system.lines if line.get("job_id") == job_id and line["event"] == event]
        return bool(found)

    wait_until(look, what=event)
    assert len(found) == 1
    return found[0]


def test_api_worker_and_deliverer_name_the_request_job_and_attempt_in_their_lines(
    system: System, job: dict[str, Any]
) -> None:
    submitted = of_job(system, job["id"], "job.submitted")
    assert (submitted["request_id"], submitted["trace_id"]) == ("order-7", TRACE_ID)
    for event in ("job.claimed", "job.succeeded"):
        line = of_job(system, job["id"], event)
        assert (line["request_id"], line["trace_id"], line["attempt"]) == ("order-7", TRACE_ID, 1)
    delivered = of_job(system, job["id"], "delivery.succeeded")
    assert (delivered["request_id"], delivered["attempt"]) == ("order-7", 1)
    answered = [line for line in system.lines if line["event"] == "request.answered" and line["path"] == "/v1/jobs"]
    (mine,) = (line for line in answered if line["request_id"] == "order-7")
    assert (mine["trace_id"], mine["status"]) == (TRACE_ID, 200)


def test_a_message_that_was_lost_with_its_broker_costs_no_trace(system: System, job: dict[str, Any]) -> None:
    """The broker is killed; the sweeper publishes the job, and its lines still say which request it came with."""
    for pid, arguments in descendants(system.up.pid).items():
        if "valkey-server" in arguments:
            os.kill(pid, signal.SIGKILL)
    _, lost = system.call(
        "POST", "/v1/jobs?layout=line&dedupe=false", (SAMPLES / "line-english.png").read_bytes(), X_Request_ID="order-8"
    )
    line = of_job(system, lost["id"], "job.succeeded")
    assert line["request_id"] == "order-8"


def test_spans_of_request_attempt_and_stages_form_one_trace(system: System, job: dict[str, Any]) -> None:
    wanted = {"POST /v1/jobs", "job attempt", "decode", "preprocess", "lines", "recognition"}
    wait_until(lambda: wanted <= system.trace().keys(), what="all spans")
    spans = system.trace()
    request, attempt = spans["POST /v1/jobs"], spans["job attempt"]
    assert request.parent_span_id.hex() == SPAN_ID
    assert attempt.parent_span_id == request.span_id
    assert (request.kind, attempt.kind) == (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CONSUMER)
    told = {pair.key: pair.value.string_value or pair.value.int_value for pair in attempt.attributes}
    assert told == {"ocrelay.job_id": job["id"], "ocrelay.attempt": 1, "ocrelay.outcome": "succeeded"}
    for stage in ("decode", "preprocess", "lines", "recognition"):
        span = spans[stage]
        assert span.parent_span_id == attempt.span_id
        milliseconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
        assert milliseconds == pytest.approx(job["timings_ms"][stage], abs=0.2)
        assert attempt.start_time_unix_nano <= span.start_time_unix_nano + 1_000_000
        assert span.end_time_unix_nano <= attempt.end_time_unix_nano
    services = {name for name, span in system.spans if span.trace_id.hex() == TRACE_ID}
    assert services == {"ocrelay-api", "ocrelay-worker"}


def test_the_numbers_of_the_job_are_in_the_metrics(system: System, job: dict[str, Any]) -> None:
    def found() -> dict[tuple[str, str], float]:
        _, text = system.call("GET", "/metrics")
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return {(s.name, next(iter(s.labels.values()), "")): s.value for s in samples if len(s.labels) < 2}

    wait_until(lambda: found()["ocrelay_audit_events_total", "job.succeeded"] >= 1, what="the job in the sums")
    assert found()["ocrelay_audit_events_total", "delivery.succeeded"] >= 1
    assert found()["ocrelay_job_stage_duration_seconds_count", "recognition"] >= 1
    assert found()["ocrelay_job_confidence_ratio_count", job["result"]["model"]["name"]] >= 1
    assert found()["ocrelay_worker_children", ""] == 1
    assert found()["ocrelay_sweeper_silence_seconds", ""] < 60
    _, text = system.call("GET", "/metrics")
    assert "ocrelay_worker_child_resident_memory_bytes{" in text


def test_no_text_and_no_secret_is_ever_in_a_log_or_a_span(system: System, job: dict[str, Any]) -> None:
    """Jobs that succeed, fail, and kill their worker; endpoints made, rotated and failing; wrong calls of all kinds."""
    secrets = [PASSWORD, API_KEY, API_KEY.rsplit("_", 1)[1]]
    for path in ("/ok", "/broken"):
        _, endpoint = system.call("POST", "/v1/webhook-endpoints", {"url": system.hooks.url(path)})
        secrets.append(endpoint["secret"])
        _, rotated = system.call("POST", f"/v1/webhook-endpoints/{endpoint['id']}/rotate-secret")
        secrets.append(rotated["secret"])
    secrets.append(system.call("GET", "/v1/webhook-endpoints/ep_jobs/secret")[1]["secret"])
    receipt = (SAMPLES / "receipt.jpg").read_bytes()
    image = base64.b64encode((SAMPLES / "line-english.png").read_bytes()).decode()
    texts = [job["result"]["text"]]
    _, page = system.call("POST", "/v1/jobs?layout=page", (SAMPLES / "page.png").read_bytes(), Prefer="wait=60")
    texts.append(page["result"]["text"])
    _, answer = system.call("POST", "/api/ocr", {"image": image})
    texts.append(answer["text"])
    _, cut = system.call("POST", "/v1/jobs", receipt[: len(receipt) // 2], Prefer="wait=60")
    assert cut["state"] == "failed"
    _, killer = system.call("POST", "/v1/jobs?layout=page&dedupe=false", receipt)
    of_job(system, killer["id"], "job.claimed")
    for pid, arguments in descendants(system.up.pid).items():
        if "ForkPoolWorker" in arguments or "shared.cli worker" in arguments:
            os.kill(pid, signal.SIGKILL)
    for method, path, body in (
        ("POST", f"/v1/jobs?apikey={API_KEY}", b"abc"),
        ("POST", "/v1/jobs", {"image": image + "!"}),
        ("GET", f"/v1/jobs/nothing?x={PASSWORD}", None),
        ("POST", "/v1/webhook-endpoints", {"url": "http://user:" + PASSWORD + "@127.0.0.1/"}),
        ("POST", "/api/ocr", {"image": image, "layout": texts[0]}),
    ):
        assert system.call(method, path, body)[0] >= 400, path
    wait_until(
        lambda: system.call("GET", f"/v1/jobs/{killer['id']}")[1]["state"] == "succeeded", seconds=120, what="the end"
    )
    texts.append(system.call("GET", f"/v1/jobs/{killer['id']}/result?format=text")[1])
    wait_until(lambda: any(line["event"] == "delivery.retried" for line in system.lines), what="a failing delivery")
    assert system.call("GET", f"/v1/jobs/{job['id']}/result?format=text")[0] == 200
    told = system.up.said + "".join(str(span) for _, span in system.spans)
    assert [secret for secret in secrets if secret.removeprefix("whsec_") in told] == []
    words = {word for text in texts for word in text.split() if (len(word) > 4 and not word.isascii()) or len(word) > 7}
    assert len(words) > 10
    assert sorted(word for word in words if word in told or json.dumps(word)[1:-1] in told) == []


def test_every_line_is_json_with_a_sentence_an_event_a_level_and_a_time(system: System, job: dict[str, Any]) -> None:
    for line in system.lines:
        assert line.keys() >= {"message", "event", "level", "timestamp"}, line
        assert isinstance(line["message"], str) and line["event"], line
    events = {line["event"] for line in system.lines}
    assert {"job.submitted", "job.claimed", "job.succeeded", "request.answered"} <= events
