"""The dashboard and the alerts name what /metrics really gives, and each alert fires when it should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from api.app import app_of
from api.service.parts import Parts
from api.service.waiting import Waiting
from shared import errors, jobs, queue, workers
from shared.audit import tallies
from shared.database import Database
from shared.settings import Settings
from shared.uploads.blobs import Blobs
from tests import services as real
from tests.docs import markdown
from tests.unit.api.conftest import RESULT, finish, png

FOLDER = Path(__file__).parents[2] / "docs" / "monitoring"
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text("utf-8"))
RULES = [
    rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text("utf-8"))["groups"] for rule in group["rules"]
]
TARGETS = [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]]
EXPRESSIONS = [*TARGETS, *((rule["alert"], rule["expr"]) for rule in RULES)]
ADDED = {"instance", "job"}
"""Labels that Prometheus adds itself."""

Labels = dict[str, set[str]]


@pytest.fixture(scope="module")
def given(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Labels]]:
    """The names on /metrics of a service that was used, each with its labels and their values."""
    folder = tmp_path_factory.mktemp("monitoring")
    shutil.copy(migrated_sqlite, folder / "ocrelay.sqlite3")
    settings = Settings.load(data_dir=folder, redis_url="redis://127.0.0.1:1/0")
    database = Database(settings.database)
    celery = queue.create_app(settings, "redis://127.0.0.1:1/0", role="client")
    celery.breaker.trip()
    parts = Parts(settings, database, Blobs(settings.blobs_dir), celery, Waiting(database))
    client = app_of(parts).test_client()
    use(client, parts)
    found: dict[str, Labels] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            labels = found.setdefault(sample.name, defaultdict(set))
            for name, value in sample.labels.items():
                labels[name].add(value)
    yield found
    database.close()


def use(client: FlaskClient, parts: Parts) -> None:
    """Let happen, once, what a label depends on."""
    with parts.database.write() as connection:
        workers.register(connection, node="n", host="h", pid=7, model=RESULT["model"], rss_bytes=1)  # type: ignore[arg-type]
    finish(parts, client.post("/v1/jobs", data=png(), buffered=True).json["id"])
    failing = client.post("/v1/jobs", data=png(9), buffered=True).json["id"]
    client.post("/v1/jobs", data=b"abc", buffered=True)
    with parts.database.write() as connection:
        job = jobs.claim(connection, failing, owner="n/1", lease_seconds=30)
        assert job is not None
        jobs.fail(connection, failing, str(job.lease_token), error=errors.CorruptImage())
    tallies.advance(parts.database, settled_seconds=0)


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[title for title, _ in EXPRESSIONS])
def test_an_expression_names_only_metrics_and_labels_that_exist(
    title: str, expression: str, given: dict[str, Labels]
) -> None:
    named = re.findall(r"\b(ocrelay_\w+)(?:\{([^}]*)\})?", expression)
    assert named
    labels: set[str] = set()
    for name, matchers in named:
        assert name in given, name
        labels |= set(given[name])
        for label, operator, wanted in re.findall(r'(\w+)\s*(=~|=)\s*"([^"]*)"', matchers):
            assert label in given[name], label
            for one in wanted.split("|") if label in ("event", "code") else []:
                assert one in given[name][label], one
            assert operator == "=~" or "|" not in wanted
    grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
    assert grouped <= labels | ADDED


@pytest.mark.parametrize(("title", "expression"), EXPRESSIONS, ids=[title for title, _ in EXPRESSIONS])
def test_what_all_processes_answer_alike_is_never_added_up(title: str, expression: str) -> None:
    """SQL is asked by each API process; a sum over them would count everything several times."""
    for name in re.findall(r"sum(?: by \([^)]*\))? ?\((?:rate\()?(ocrelay_\w+)", expression):
        assert name.startswith(("ocrelay_http_", "ocrelay_uploads_refused")), name


def test_each_metric_is_shown_watched_or_described(given: dict[str, Labels]) -> None:
    page = (FOLDER.parent / "monitoring.md").read_text("utf-8")
    for name in given:
        if not name.endswith(("_bucket", "_sum", "_count", "_created")):
            assert f"`{name}" in page, name


def test_each_alert_has_its_heading_on_the_page_and_each_heading_its_alert() -> None:
    found = [re.fullmatch(r"`(Ocrelay\w+)`", heading) for heading in markdown.headings(FOLDER.parent / "monitoring.md")]
    assert [match[1] for match in found if match] == [rule["alert"] for rule in RULES]


def test_the_rules_have_the_parts_of_rules() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) >= 8
    for rule in RULES:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description"}


def test_the_dashboard_has_the_parts_of_a_dashboard() -> None:
    assert {"title", "uid", "schemaVersion", "templating", "time"} <= DASHBOARD.keys()
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    places = set()
    for panel in panels:
        assert panel["datasource"]["uid"] == "${datasource}"
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {(column, at["y"]) for column in range(at["x"], at["x"] + at["w"])}
        assert not cells & places, panel["title"]
        places |= cells


def promtool(*arguments: str | Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        real.unavailable("promtool is not installed: apt-get install prometheus")
    ran = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_prometheus_accepts_the_rules() -> None:
    promtool("check", "rules", FOLDER / "rules.yml")


def test_prometheus_accepts_each_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, (_, expression) in enumerate(TARGETS)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    promtool("check", "rules", file)


def series(name: str, values: str, **labels: str) -> dict[str, str]:
    inner = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {"series": f"{name}{{{inner}}}", "values": values}


EVENTS = "ocrelay_audit_events_total"
QUIET: dict[str, list[dict[str, str]]] = {
    "OcrelayDown": [series("ocrelay_build_info", "1x120")],
    "OcrelayDatabaseDown": [series("ocrelay_database_up", "1x120", instance="a")],
    "OcrelayNobodyWorks": [series("ocrelay_worker_children", "2x120", instance="a")],
    "OcrelaySweeperSilent": [series("ocrelay_sweeper_silence_seconds", "20x120")],
    "OcrelayBacklogOld": [series("ocrelay_queue_oldest_seconds", "599x120")],
    "OcrelayJobsFail": [
        series(EVENTS, "0+1x120", event="job.failed"),
        series(EVENTS, "0+20x120", event="job.submitted"),
    ],
    "OcrelayJobsFailByOurFault": [series("ocrelay_jobs_failed_total", "0+9x120", code="corrupt_image")],
    "OcrelayLeasesExpire": [series(EVENTS, "0x120", event="job.expired")],
    "OcrelayDeliveriesFail": [series(EVENTS, "7x120", event="delivery.failed")],
    "OcrelayDeliveriesLate": [series("ocrelay_deliveries_overdue_seconds", "10x120")],
    "OcrelayRequestsFail": [
        series("ocrelay_http_requests_total", "0+1x120", status="503", instance="a"),
        series("ocrelay_http_requests_total", "0+99x120", status="200", instance="b"),
    ],
    "OcrelayDiskFills": [
        series("ocrelay_disk_free_bytes", "50x120", instance="a"),
        series("ocrelay_disk_size_bytes", "100x120", instance="a"),
    ],
    "OcrelayChildGrows": [series("ocrelay_worker_child_resident_memory_bytes", "300000000x120", child="n/1", node="n")],
    "OcrelayModelsDiffer": [
        series("ocrelay_worker_child_info", "1x120", child=child, node="n", model="m", version="1", sha256="ab")
        for child in ("n/1", "n/2")
    ],
}
LOUD: dict[str, list[dict[str, str]]] = {
    "OcrelayDown": [series("something_else", "1x120")],
    "OcrelayDatabaseDown": [
        series("ocrelay_database_up", "0x120", instance="a"),
        series("ocrelay_database_up", "1x120", instance="b"),
    ],
    "OcrelayNobodyWorks": [series("ocrelay_worker_children", "0x120", instance="a")],
    "OcrelaySweeperSilent": [series("ocrelay_sweeper_silence_seconds", "0+60x120")],
    "OcrelayBacklogOld": [series("ocrelay_queue_oldest_seconds", "601x120")],
    "OcrelayJobsFail": [
        series(EVENTS, "0+3x120", event="job.failed"),
        series(EVENTS, "0+20x120", event="job.submitted"),
    ],
    "OcrelayJobsFailByOurFault": [series("ocrelay_jobs_failed_total", "0x90 1x30", code="poison_job")],
    "OcrelayLeasesExpire": [series(EVENTS, "0+1x120", event="job.expired")],
    "OcrelayDeliveriesFail": [series(EVENTS, "7x90 8x30", event="delivery.failed")],
    "OcrelayDeliveriesLate": [series("ocrelay_deliveries_overdue_seconds", "301x120")],
    "OcrelayRequestsFail": [
        series("ocrelay_http_requests_total", "0+10x120", status="503", instance="a"),
        series("ocrelay_http_requests_total", "0+99x120", status="200", instance="b"),
    ],
    "OcrelayDiskFills": [
        series("ocrelay_disk_free_bytes", "9x120", instance="a"),
        series("ocrelay_disk_size_bytes", "100x120", instance="a"),
    ],
    "OcrelayChildGrows": [
        series("ocrelay_worker_child_resident_memory_bytes", "1450000000x120", child="n/1", node="n")
    ],
    "OcrelayModelsDiffer": [
        series("ocrelay_worker_child_info", "1x120", child=child, node="n", model="m", version=version, sha256=version)
        for child, version in (("n/1", "1"), ("n/2", "2"))
    ],
}
FIRED = {
    "OcrelayJobsFailByOurFault": {"code": "poison_job"},
    "OcrelayDiskFills": {"instance": "a"},
    "OcrelayChildGrows": {"node": "n"},
}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_fires_when_it_should_and_not_before(rule: dict[str, Any], tmp_path: Path) -> None:
    name = rule["alert"]
    tests = []
    for values, fires in ((QUIET[name], False), (LOUD[name], True)):
        labels = {**rule["labels"], **FIRED.get(name, {})}
        tests.append(
            {
                "interval": "1m",
                "input_series": values,
                "alert_rule_test": [
                    {"eval_time": "115m", "alertname": name, "exp_alerts": [{"exp_labels": labels}] if fires else []}
                ],
            }
        )
    plain = {key: value for key, value in rule.items() if key != "annotations"}  # their words are not tested here
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "one", "rules": [plain]}]}))
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": ["rules.yml"], "tests": tests}))
    promtool("test", "rules", tmp_path / "test.yml")
