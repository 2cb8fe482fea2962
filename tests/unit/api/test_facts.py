"""What routes state of themselves is what is done with their requests."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from api.http.facts import METRICS, PUBLIC, Facts, facts, facts_of, of_operations, of_routes
from shared.keys.record import Scope
from tests.unit.api.test_limits import UPLOADS
from tests.unit.api.test_metrics import scrape


def test_what_a_view_states_survives_the_wrapping_of_its_route(client: FlaskClient) -> None:
    stated = dict(of_routes(client.application))
    assert stated["POST /v1/jobs"] == Facts(Scope.SUBMIT, makes_work=True, takes_upload=True)
    assert stated["GET /metrics"] == Facts(METRICS, is_quiet=True)
    assert of_operations(client.application)["/v1/jobs/{job_id}", "get"] == Facts(Scope.READ)


def test_facts_leave_the_view_as_it_is() -> None:
    def view() -> str:
        return "shown"

    assert facts(PUBLIC)(view) is view


@pytest.mark.parametrize(("method", "path"), [("OPTIONS", "/v1/jobs"), ("GET", "/nothing/here"), ("PUT", "/healthz")])
def test_a_request_that_no_view_answers_makes_no_work_and_is_no_upload(
    client: FlaskClient, method: str, path: str
) -> None:
    app = client.application
    with app.test_request_context(path, method=method) as context:
        found = facts_of(app, context.request)
    assert found is None or found == Facts(PUBLIC)
    assert (found is None) == (method != "OPTIONS")


def send_nonsense(client: FlaskClient, path: str) -> str:
    answer = client.post(path, data=b"{", content_type="application/json", buffered=True)  # it is counted at its end
    return str(answer.json["code"])


def test_each_route_that_takes_uploads_counts_those_that_it_refuses(client: FlaskClient) -> None:
    takes = {route: stated for route, stated in of_routes(client.application) if stated and stated.takes_upload}
    assert {route for route, stated in takes.items() if not stated.is_page} == UPLOADS
    assert {route for route, stated in takes.items() if stated.is_page} == {"POST /"}
    refused = client.post("/", headers={"Accept": "application/problem+json"})
    assert refused.get_json()["code"] == "stale_form", "no page sent it"
    for route in sorted(UPLOADS):
        assert send_nonsense(client, route.split()[1]) == "invalid_json"
    assert send_nonsense(client, "/v1/webhook-endpoints") == "invalid_json", "refused as well, but no upload"
    samples = scrape(client)["ocrelay_uploads_refused"].samples
    assert [s.value for s in samples if s.labels == {"code": "invalid_json"} and s.name.endswith("_total")] == [3]


@pytest.mark.parametrize(
    ("path", "level"),
    [("/healthz", "debug"), ("/metrics", "debug"), ("/v1/jobs", "info"), ("/docs", "info"), ("/nothing", "info")],
)
def test_a_quiet_route_is_logged_below_others(client: FlaskClient, path: str, level: str) -> None:
    with capture_logs() as lines, client.get(path):
        pass
    (line,) = (line for line in lines if line.get("event_name") == "request.answered")
    assert line["log_level"] == level
