"""The document that the server gives out about itself, and the page that shows it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest
from flask.testing import FlaskClient
from flask_openapi3 import OpenAPI
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.app import create_app
from api.http.facts import stated_by
from shared.settings import Settings

DOCUMENTATION = ("/docs", "/static", "/openapi.json", "/favicon.ico")


@pytest.fixture
def app(tmp_path: Path) -> OpenAPI:
    return create_app(Settings.load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0"))


@pytest.fixture
def client(app: OpenAPI) -> FlaskClient:
    return app.test_client()


def test_the_document_is_valid_openapi_3_1(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def is_page(app: OpenAPI, endpoint: str) -> bool:
    """For people, who need no document of it."""
    found = stated_by(app, endpoint)
    return found is not None and found.is_page


def test_the_document_names_each_route_of_the_application(app: OpenAPI, client: FlaskClient) -> None:
    served = {
        (re.sub(r"<(?:[a-z]+:)?([a-z_]+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith(DOCUMENTATION) and not is_page(app, rule.endpoint)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    paths = client.get("/openapi.json").get_json()["paths"]
    assert {(path, method) for path, operations in paths.items() for method in operations} == served


def test_each_operation_has_a_name_of_its_own_and_a_summary(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").get_json()["paths"]
    operations = [operation for of_path in paths.values() for operation in of_path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation.get("summary") for operation in operations)


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    address = client.get("/docs").headers["Location"]
    page = client.get(address).get_data(as_text=True)
    wanted = re.findall(r"""(?:src|href)=["']([^"']+)["']""", page)
    assert wanted
    for link in wanted:
        assert not re.match(r"(?:[a-z]+:)?//", link), link
        with client.get(urljoin(address, link)) as answer:
            assert answer.status_code == 200, link
            if link.endswith(".css"):
                assert not re.findall(r"""url\(["']?(?:https?:)?//""", answer.get_data(as_text=True)), link


def test_the_page_shows_the_document_of_this_server(client: FlaskClient) -> None:
    address = client.get("/docs").headers["Location"]
    script = client.get(urljoin(address, "start.js")).get_data(as_text=True)
    named = re.search(r'url: "([^"]+)"', script)
    assert named is not None
    assert client.get(urljoin(address, named[1])).get_json() == client.get("/openapi.json").get_json()


def test_the_page_needs_nothing_inline_and_its_policy_allows_nothing_inline(client: FlaskClient) -> None:
    with client.get(client.get("/docs").headers["Location"]) as answer:
        page = answer.get_data(as_text=True)
        policy = answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script>|<script (?!src=)|<style|\son[a-z]+=|\sstyle=", page)
    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy


def test_each_answer_that_leads_on_names_calls_that_take_what_it_gives(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    operations = {each["operationId"]: each for of_path in document["paths"].values() for each in of_path.values()}
    links = [
        link
        for operation in operations.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert len(links) > 20
    for link in links:
        taken = {parameter["name"] for parameter in operations[link["operationId"]]["parameters"]}
        assert set(link["parameters"]) <= taken


def test_each_call_states_how_it_may_be_refused(client: FlaskClient) -> None:
    for path, of_path in client.get("/openapi.json").get_json()["paths"].items():
        for method, operation in of_path.items():
            stated = set(operation["responses"])
            assert {"400", "403", "414", "422", "431", "500", "503"} <= stated, (method, path)
            assert method != "post" or {"408", "413", "415"} <= stated, path
