"""`ocrelay webhooks` against a real server."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from api.app import app_of
from api.client.refusal import Refused
from api.service.parts import Parts
from api.webhooks.commands import webhooks
from shared.webhooks.targets import Guard


@pytest.fixture
def run(parts: Parts) -> Iterator[Callable[..., str]]:
    """Run a sub-command against a server on loopback; gives back what it printed."""
    public = replace(parts, guard=Guard((), lambda _host, _port: ["93.184.216.34"]))
    app = app_of(public)

    def bounded(environ: dict[str, Any], start_response: Any) -> Any:
        """Werkzeug's server has no end of a body, as gunicorn has."""
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        return app(environ, start_response)

    server = make_server("127.0.0.1", 0, bounded, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def invoke(name: str, *arguments: str) -> str:
        url = f"http://127.0.0.1:{server.port}"
        return CliRunner().invoke(webhooks, [name, "--server", url, *arguments], catch_exceptions=False).output

    yield invoke
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_endpoint_is_made_listed_and_pinged(run: Callable[..., str]) -> None:
    endpoint_id, secret = run("create", "https://hooks.example/a", "--event", "job.failed").split()
    assert secret.startswith("whsec_")
    built_in, made = run("list").splitlines()
    assert built_in.startswith("ep_jobs  enabled  the URLs of single jobs  all events")
    assert made == f"{endpoint_id}  enabled  https://hooks.example/a  job.failed"
    delivery_id = run("ping", endpoint_id).strip().rpartition("/")[2]
    assert run("deliveries").startswith(f"{delivery_id}  queued  attempt 0  ping  -  https://hooks.example/a")
    assert json.loads(run("deliveries", "--state", "queued", "--json"))["id"] == delivery_id
    assert run("deliveries", "--state", "failed") == ""


def test_what_the_server_refuses_is_said_with_its_code(run: Callable[..., str]) -> None:
    with pytest.raises(Refused, match="invalid_webhook_url"):
        run("create", "ftp://hooks.example/")
    with pytest.raises(Refused, match="endpoint_not_found"):
        run("ping", "nobody")
