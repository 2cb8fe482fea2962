"""`/metrics` for Prometheus: what SQL says of the whole service, and what the processes of this server counted."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path

from flask import Response, request
from flask_openapi3 import APIBlueprint
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from api.http import answers
from api.http.counters import HttpMetrics
from api.http.facts import METRICS, facts
from api.metrics import health
from api.service import gauges
from api.service.gauges import Gauges
from api.service.parts import Parts
from shared import errors
from shared.audit import tallies, trail
from shared.jobs.record import State
from shared.result import TIMING_STAGES


def blueprint(parts: Parts, counters: HttpMetrics) -> APIBlueprint:
    """The route, bound to the process's service and counters."""
    routes = APIBlueprint("metrics", __name__, abp_tags=[health.TAG], abp_responses=answers.ERRORS)

    @routes.get(
        "/metrics",
        operation_id="metrics",
        summary="Measurements for Prometheus",
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    @facts(METRICS, is_quiet=True)
    def metrics() -> Response:
        """The text format of Prometheus, or OpenMetrics where `Accept` asks for it."""
        registry = counters.registry()
        registry.register(ServiceCollector(parts))
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"})

    return routes


class ServiceCollector(Collector):
    """What is true of the whole service, whichever process is asked."""

    def __init__(self, parts: Parts) -> None:
        self._service = parts

    def describe(self) -> list[Metric]:
        """Nothing: else the registry would ask the database just to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Ask now; without the database only what is known without it."""
        try:
            found: Gauges | None = gauges.read(self._service.database)
        except errors.DatabaseUnavailable:
            found = None
        yield _gauge("ocrelay_database_up", "Whether the database answered in time.", float(found is not None))
        build = GaugeMetricFamily("ocrelay_build_info", "The version that answers.", labels=["version"])
        build.add_metric([version("ocrelay")], 1)
        yield build
        yield from of_disk(self._service.settings.data_dir)
        if found is not None:
            yield from of_now(found)
            yield from of_children(found)
            yield from of_past(found.tallies)


def of_disk(folder: Path) -> Iterator[Metric]:
    """Room where the uploads are."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return
    yield _gauge("ocrelay_disk_free_bytes", "Room on the disk of the data folder.", usage.free)
    yield _gauge("ocrelay_disk_size_bytes", "Size of the disk of the data folder.", usage.total)


def of_now(found: Gauges) -> Iterator[Metric]:
    """What waits and what runs."""
    queued = GaugeMetricFamily("ocrelay_queue_jobs", "Jobs that wait, by priority.", labels=["priority"])
    for priority, count in found.queued.items():
        queued.add_metric([priority], count)
    yield queued
    yield _gauge(
        "ocrelay_queue_oldest_seconds", "Time since the oldest job that is due was accepted.", found.oldest_seconds
    )
    jobs = GaugeMetricFamily("ocrelay_jobs_open", "Jobs that have not ended, by state.", labels=["state"])
    jobs.add_metric([State.QUEUED], sum(found.queued.values()))
    jobs.add_metric([State.RUNNING], found.running)
    yield jobs
    deliveries = GaugeMetricFamily("ocrelay_deliveries_open", "Deliveries that have not ended.", labels=["state"])
    for state, count in found.deliveries.items():
        deliveries.add_metric([state], count)
    yield deliveries
    yield _gauge(
        "ocrelay_deliveries_overdue_seconds", "How late the delivery is that should go first.", found.overdue_seconds
    )
    yield _gauge(
        "ocrelay_sweeper_silence_seconds",
        "Time since a sweeper was last heard of; up to 20 seconds are normal.",
        found.sweeper_silence_seconds,
    )


def of_children(found: Gauges) -> Iterator[Metric]:
    """The worker children that live."""
    yield _gauge("ocrelay_worker_children", "Worker children that were heard of lately.", len(found.children))
    models = GaugeMetricFamily(
        "ocrelay_worker_child_info",
        "The model that a worker child has loaded.",
        labels=["child", "node", "model", "version", "sha256"],
    )
    memory = GaugeMetricFamily(
        "ocrelay_worker_child_resident_memory_bytes", "Memory that a worker child holds.", labels=["child", "node"]
    )
    silence = GaugeMetricFamily(
        "ocrelay_worker_child_silence_seconds", "Time since a child was last heard of.", labels=["child", "node"]
    )
    for child in found.children:
        models.add_metric([child.id, child.node, child.model, child.model_version, child.model_sha256[:12]], 1)
        silence.add_metric([child.id, child.node], found.silences_seconds[child.id])
        if child.rss_bytes is not None:
            memory.add_metric([child.id, child.node], child.rss_bytes)
    yield from (models, memory, silence)


def of_past(sums: dict[tallies.Key, float]) -> Iterator[Metric]:
    """Counters and histograms out of the sums; everything that may be is there from the start, with 0."""
    events = CounterMetricFamily("ocrelay_audit_events", "What happened, as in the audit trail.", labels=["event"])
    for event in sorted(set(trail.Event)):
        events.add_metric([event], sums.get((tallies.EVENTS, event, ""), 0))
    yield events
    failures = CounterMetricFamily(
        "ocrelay_jobs_failed", "Jobs that failed for good, by the error's code.", labels=["code"]
    )
    seen = {label for name, label, _ in sums if name == tallies.FAILURES}
    for code in sorted(seen | codes_of(errors.JobError) | codes_of(errors.DocumentError)):
        failures.add_metric([code], sums.get((tallies.FAILURES, code, ""), 0))
    yield failures
    copies = "Jobs that were given the result of an equal earlier one."
    yield CounterMetricFamily("ocrelay_jobs_copied", copies, value=sums.get((tallies.COPIES, "", ""), 0))
    stages = HistogramMetricFamily(
        "ocrelay_job_stage_duration_seconds", "Time that a job spent in each stage; `total` is all.", labels=["stage"]
    )
    for stage in TIMING_STAGES:
        _add_histogram(stages, sums, tallies.STAGES, stage, tallies.STAGE_BOUNDS)
    yield stages
    confidence = HistogramMetricFamily(
        "ocrelay_job_confidence_ratio", "Confidence of the documents that held text, 0 to 1.", labels=["model"]
    )
    for model in sorted({label for name, label, _ in sums if name == tallies.CONFIDENCE}):
        _add_histogram(confidence, sums, tallies.CONFIDENCE, model, tallies.CONFIDENCE_BOUNDS)
    yield confidence


def codes_of(kind: type[errors.OcrelayError]) -> set[str]:
    """The codes of an error and of all that are narrower: what a job may fail with."""
    return {kind.code}.union(*map(codes_of, kind.__subclasses__()))


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)


def _add_histogram(
    family: HistogramMetricFamily, sums: dict[tallies.Key, float], name: str, label: str, bounds: tuple[float, ...]
) -> None:
    limits = [*map(str, bounds), tallies.BEYOND]
    counts = accumulate(sums.get((name, label, limit), 0) for limit in limits)
    family.add_metric([label], list(zip(limits, counts, strict=True)), sums.get((name, label, tallies.SUM), 0))
