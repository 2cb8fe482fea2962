"""/metrics: valid, complete from the first scrape, bounded, and an answer also without the database."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from api.app import app_of
from api.service.parts import Parts
from shared import errors, workers
from shared.audit import tallies, trail
from shared.database import Database
from shared.result import TIMING_STAGES
from tests.unit.api.conftest import RESULT, finish, png


def scrape(client: FlaskClient) -> dict[str, Metric]:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    return {family.name: family for family in parse(answer.text)}


def value(family: Metric, suffix: str = "", **labels: str) -> float:
    (sample,) = (s for s in family.samples if s.name == family.name + suffix and s.labels == labels)
    return sample.value


@pytest.fixture
def used(client: FlaskClient, parts: Parts) -> FlaskClient:
    """After a job was read, one was refused, one failed, one waits, and a worker lives."""
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="h", pid=7, model=RESULT["model"], rss_bytes=123)  # type: ignore[arg-type]
    first = client.post("/v1/jobs", data=png(), buffered=True).json["id"]
    finish(parts, first)
    client.post("/v1/jobs", data=b"abc", buffered=True)
    client.post("/v1/jobs?priority=bulk", data=png(9), buffered=True)
    tallies.advance(parts.database, settled_seconds=0)
    return client


def test_what_happened_is_counted(used: FlaskClient) -> None:
    found = scrape(used)
    assert value(found["ocrelay_audit_events"], "_total", event="job.submitted") == 2
    assert value(found["ocrelay_audit_events"], "_total", event="job.succeeded") == 1
    assert value(found["ocrelay_audit_events"], "_total", event="job.failed") == 0
    assert value(found["ocrelay_queue_jobs"], priority="bulk") == 1
    assert value(found["ocrelay_jobs_open"], state="queued") == 1
    assert value(found["ocrelay_database_up"]) == 1
    assert value(found["ocrelay_uploads_refused"], "_total", code="unsupported_media_type") == 1
    submitted = value(found["ocrelay_http_requests"], "_total", method="POST", route="/v1/jobs", status="202")
    assert submitted == 2
    assert value(found["ocrelay_worker_child_resident_memory_bytes"], child="n/7", node="n") == 123
    labels = {"child": "n/7", "node": "n", "model": "m", "version": "1", "sha256": "0" * 12}
    assert value(found["ocrelay_worker_child_info"], **labels) == 1


def test_histograms_are_cumulative_and_end_with_all(used: FlaskClient) -> None:
    found = scrape(used)
    for name, labels in (
        ("ocrelay_job_stage_duration_seconds", {"stage": "total"}),
        ("ocrelay_job_confidence_ratio", {"model": "m"}),
    ):
        family = found[name]
        buckets = [s.value for s in family.samples if s.name.endswith("_bucket") and labels.items() <= s.labels.items()]
        assert buckets == sorted(buckets)
        assert buckets[-1] == value(family, "_count", **labels) == 1
        assert value(family, "_sum", **labels) > 0


def test_what_may_happen_is_there_from_the_start_so_that_the_first_one_is_an_increase(client: FlaskClient) -> None:
    found = scrape(client)
    events = {sample.labels["event"] for sample in found["ocrelay_audit_events"].samples}
    assert events == set(trail.Event) >= {trail.Event.SUBMITTED, trail.Event.EXPIRED, trail.Event.DELIVERY_FAILED}
    assert {sample.labels.get("stage") for sample in found["ocrelay_job_stage_duration_seconds"].samples} == set(
        TIMING_STAGES
    )


def test_openmetrics_is_given_to_who_asks_for_it(used: FlaskClient) -> None:
    answer = used.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.mimetype == "application/openmetrics-text"
    assert list(parse_openmetrics(answer.text))


def test_names_follow_the_conventions_and_labels_are_bounded(used: FlaskClient) -> None:
    for path in ("/v1/jobs/job_01m7yckmzs95msfzr8ad6qhaw4", "/v1/jobs/x/result", "/a", "/b", "/docs/swagger/x.js"):
        used.get(path, buffered=True)
    used.open("/v1/jobs", method="BREW", buffered=True)
    for family in scrape(used).values():
        assert re.fullmatch(r"ocrelay_[a-z0-9_]+", family.name)
        assert family.documentation.endswith(".")
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name.endswith("_total")
            for name, text in sample.labels.items():
                assert "01m7yckm" not in text and "BREW" not in text, (name, text)
                assert name != "route" or text == "unmatched" or re.fullmatch(r"/[a-z0-9/.{}_-]*", text), text


def test_an_answer_comes_also_without_the_database(
    parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_database: Database) -> None:
        raise errors.DatabaseUnavailable()

    monkeypatch.setattr("api.service.gauges.read", away)
    found = scrape(app_of(parts).test_client())
    assert value(found["ocrelay_database_up"]) == 0
    assert "ocrelay_disk_free_bytes" in found
    assert "ocrelay_audit_events" not in found
