"""The reference pages say exactly what the code holds: no more, no less."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.access.rules import PUBLIC_FILES
from api.app import create_app
from api.http.facts import UNSTATED, of_routes
from models.training.fetch_packages import package_names
from shared import errors
from shared.audit import trail
from shared.jobs import states
from shared.jobs.record import State
from shared.registry.record import RolloutState
from shared.settings import PREFIX, Settings
from shared.webhooks.record import DeliveryState
from tests.docs import markdown

DOCS = markdown.ROOT / "docs"
SETTING_SECTIONS = ("Places", "Listening", "Access", "What is accepted", "Work", "Keeping", "Webhooks", "Logs")


def every_error(kind: type[errors.OcrelayError] = errors.OcrelayError) -> Iterator[type[errors.OcrelayError]]:
    if kind.__module__.startswith(errors.__name__):
        yield kind
    for narrower in kind.__subclasses__():
        yield from every_error(narrower)


def test_each_setting_has_its_row_and_each_row_its_setting() -> None:
    table = [row for section in SETTING_SECTIONS for row in markdown.rows(DOCS / "settings.md", section)]
    documented = [row[0].strip("`") for row in table]
    assert sorted(documented) == sorted(PREFIX + name.upper() for name in Settings.model_fields)


def test_each_row_of_a_setting_states_its_default() -> None:
    table = [row for section in SETTING_SECTIONS for row in markdown.rows(DOCS / "settings.md", section)]
    for variable, default, *_ in table:
        field = Settings.model_fields[variable.strip("`").removeprefix(PREFIX).lower()]
        assert default.strip("`") == ("" if field.default is None else str(field.default)), variable


@pytest.mark.parametrize("page", markdown.PAGES, ids=markdown.name_of)
def test_a_page_names_only_settings_that_exist(page: Path) -> None:
    named = set(re.findall(rf"{PREFIX}([A-Z][A-Z0-9_]*)", page.read_text("utf-8")))
    assert named <= {name.upper() for name in Settings.model_fields}


def test_each_error_has_its_heading_with_status_and_each_heading_its_error() -> None:
    found = [
        re.fullmatch(r"`(\w+)` · (\d+)(, retryable)?", heading) for heading in markdown.headings(DOCS / "errors.md")
    ]
    documented = {(match[1], int(match[2]), match[3] is not None) for match in found if match}
    assert documented == {(error.code, error.http_status, error.retryable) for error in every_error()}


def test_each_route_has_its_heading_and_each_heading_its_route(tmp_path: Path) -> None:
    app = create_app(Settings.load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0"))
    routes = {
        f"{method} " + re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    files = {route for route in routes if route.startswith(("GET /docs/", "GET /static/"))}
    pages = {re.sub(r"<(\w+)>", r"{\1}", route) for route, facts in of_routes(app) if facts and facts.is_page}
    found = [re.fullmatch(r"`([A-Z]+ /\S*)`", heading) for heading in markdown.headings(DOCS / "api.md")]
    assert {match[1] for match in found if match} == routes - files - pages


def test_each_route_has_its_scope_on_the_page_of_access(tmp_path: Path) -> None:
    app = create_app(Settings.load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0"))
    table = [row for row in markdown.rows(DOCS / "access.md", "Scopes") if row[0].startswith("`") and " /" in row[0]]
    table += [(route, scope) for route, _, scope in markdown.rows(DOCS / "pages.md", "Addresses") if " /" in route]
    documented = {re.sub(r"\{(\w+)\}", r"<\1>", route.strip("`")): scope.strip("`") for route, scope in table}
    words = {"public": "none", "metrics": "see [below](#metrics)"}
    needed = {
        route: str((facts or UNSTATED).scope)
        for route, facts in of_routes(app)
        if not route.partition(" ")[2].startswith(PUBLIC_FILES)
    }
    assert documented == {route: words.get(scope, scope) for route, scope in needed.items()}


def test_each_state_and_each_audit_event_has_its_row() -> None:
    lives = ("The life of a job", "The life of a delivery", "The life of a key", "The life of a model")
    table = [row for life in lives for row in markdown.rows(DOCS / "architecture.md", life)]
    documented = {row[0].strip("`") for row in table}
    events = {str(event) for event in trail.Event}
    assert documented == {str(state) for state in [*State, *DeliveryState, *RolloutState]} | events


def test_each_event_of_a_model_is_on_the_page_of_the_trail() -> None:
    told = {
        name for row in markdown.rows(DOCS / "audit.md", "Models") for name in re.findall(r"`(model\.\w+)`", row[0])
    }
    assert told == {str(event) for event in trail.Event if event.startswith("model.")}


def test_the_moves_of_a_job_on_the_page_are_those_of_the_code() -> None:
    """`python -m shared.jobs.states` prints what belongs there."""
    page = DOCS / "architecture.md"
    assert markdown.blocks(page, "mermaid") == [states.diagram() + "\n"]
    assert states.table() in page.read_text("utf-8")


def test_each_training_package_has_its_licence() -> None:
    page = markdown.ROOT / "models/training/README.md"
    table = [*markdown.rows(page, "Fonts"), *markdown.rows(page, "Texts")]
    assert sorted(row[0].strip("`") for row in table) == sorted(package_names())
    assert all(len(row) == 2 and row[1] for row in table)


def test_each_log_event_that_an_alarm_may_watch_is_written_somewhere() -> None:
    code = "".join(
        path.read_text("utf-8") for room in ("api", "worker", "shared") for path in (markdown.ROOT / room).rglob("*.py")
    )
    events = re.findall(
        r"`([a-z]+\.[a-z_]+)`",
        "".join(line for line in (DOCS / "operations.md").read_text("utf-8").splitlines(True) if ".md" not in line),
    )
    assert events
    for event in events:
        assert f'"{event}"' in code, event
