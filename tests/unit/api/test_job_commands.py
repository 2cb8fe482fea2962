"""`ocrelay jobs` against a real server on a socket."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from api.app import app_of
from api.client.job_commands import jobs as command
from api.client.submit.command import submit as submit_command
from api.service.parts import Parts
from shared import errors, jobs, keys
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from tests.pdfs import PdfPage, pdf
from tests.unit.api.conftest import finish, png


@pytest.fixture
def server(parts: Parts) -> Iterator[str]:
    app = app_of(parts)

    def bounded(environ: dict[str, Any], start_response: Any) -> Any:
        """Werkzeug's server has no end of a body, as gunicorn has."""
        environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
        return app(environ, start_response)

    running = make_server("127.0.0.1", 0, bounded, threaded=True)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.port}"
    running.shutdown()
    thread.join()
    running.server_close()


def run(server: str, *arguments: str) -> Result:
    name, *rest = arguments
    return CliRunner().invoke(command, [name, "--server", server, *rest])


def submit(client: FlaskClient, parts: Parts, *, end: str = "") -> str:
    job_id = str(client.post("/v1/jobs?reference=r1", data=png()).json["id"])
    if end == "succeeded":
        finish(parts, job_id)
    if end == "failed":
        with parts.database.write() as connection:
            job = jobs.claim(connection, job_id, owner="t/1", lease_seconds=30)
            assert job is not None
            assert jobs.fail(connection, job_id, str(job.lease_token), error=errors.TruncatedImage())
    return job_id


def test_jobs_are_listed_one_a_line_and_filtered(client: FlaskClient, parts: Parts, server: str) -> None:
    waiting, failed = submit(client, parts), submit(client, parts, end="failed")
    lines = run(server, "list").output.splitlines()
    assert {line.split()[0] for line in lines} == {waiting, failed}
    (line,) = run(server, "list", "--state", "failed").output.splitlines()
    assert line.split()[:2] == [failed, "failed"] and line.split()[-2:] == ["r1", "truncated_image"]


def test_a_job_is_shown_with_its_text(client: FlaskClient, parts: Parts, server: str) -> None:
    assert "你好 world" in run(server, "show", submit(client, parts, end="succeeded")).output


def test_jobs_are_cancelled_and_tried_again(client: FlaskClient, parts: Parts, server: str) -> None:
    job_id = submit(client, parts)
    assert "cancelled" in run(server, "cancel", job_id).output
    assert "queued" in run(server, "retry", job_id).output
    assert isinstance(run(server, "retry", job_id).exception, errors.OcrelayError), "it waits already"


def test_failed_jobs_are_tried_again_together(client: FlaskClient, parts: Parts, server: str) -> None:
    for _ in range(3):
        submit(client, parts, end="failed")
    assert run(server, "retry").exit_code == 2
    assert run(server, "retry", "--code", "corrupt_image").output == "0 jobs wait again.\n"
    assert run(server, "retry", "--all").output == "3 jobs wait again.\n"
    with parts.database.read() as connection:
        assert jobs.counts(connection)["queued"] == 3


def test_an_id_that_is_none_is_asked_for_and_not_found(server: str) -> None:
    assert isinstance(run(server, "show", "../../healthz?x").exception, errors.OcrelayError)


def test_the_key_is_taken_from_the_environment_or_the_command_line(parts: Parts, server: str) -> None:
    with parts.database.write() as connection:
        _, text = keys.create(connection, name="test", scopes=[Scope.READ], actor=OPERATOR)
    arguments = ["list", "--server", server]
    runner = CliRunner()
    assert str(runner.invoke(command, arguments).exception).endswith("Set OCRELAY_API_KEY, or give --api-key.")
    assert runner.invoke(command, arguments, env={"OCRELAY_API_KEY": text}).exit_code == 0
    assert runner.invoke(command, [*arguments, "--api-key", text]).exit_code == 0
    assert "invalid_key" in str(runner.invoke(command, [*arguments, "--api-key", "ocr_"]).exception)


def test_pages_and_layers_of_a_pdf_are_chosen_on_the_command_line(parts: Parts, server: str, tmp_path: Path) -> None:
    file = tmp_path / "book.pdf"
    file.write_bytes(pdf([PdfPage(b"")] * 3))
    chosen = ["--pages", "2-3", "--text-layer", "ignore", "--no-wait"]
    result = CliRunner().invoke(submit_command, [str(file), "--server", server, *chosen])
    assert result.exit_code == 0, result.output
    with parts.database.read() as connection:
        (job,) = jobs.list_jobs(connection)
    assert (job.options["pages"], job.options["text_layer"], job.pages_total) == ("2-3", "ignore", 2)
    refused = CliRunner().invoke(submit_command, [str(file), "--server", server, "--pages", "4", "--no-wait"])
    assert refused.exit_code == 1 and "there is no page 4" in refused.output
