"""`ocrelay api` as a process: what gunicorn refuses itself, its log, and counting in several processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.http import answers
from shared.settings import Settings
from tests.ports import free_port
from tests.services import Process, wait_until

HOST = b"Host: localhost\r\n"
END = b"Connection: close\r\n\r\n"
POST = b"POST /v1/jobs HTTP/1.1\r\n" + HOST
SECRET = "ocr_id_7hIsIsASecret"


class Api:
    """A running `ocrelay api`."""

    def __init__(self, settings: Settings, output: Path) -> None:
        self._port = settings.port
        self.process = Process(settings, "api", output=output)
        wait_until(self._answers, what="the API")

    def _answers(self) -> bool:
        try:
            return self.ask(b"GET /healthz HTTP/1.1\r\n" + HOST + END)[0] == 200
        except OSError:
            assert self.process.status is None, self.process.said
            return False

    def ask(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send bytes as they are; return status, headers and body of the answer."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
            connection.sendall(raw)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        assert len(body) == int(headers["content-length"])
        return int(status.split(" ")[1]), headers, body

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return self.ask(f"GET {path} HTTP/1.1\r\n".encode() + HOST + END)

    def answered(self, path: str, route: str) -> float:
        """How often a route was asked for by /metrics, after asking for a path of it."""
        self.get(path)
        found = text_string_to_metric_families(self.get("/metrics")[2].decode())
        samples = (sample for family in found for sample in family.samples)
        return sum(s.value for s in samples if s.name == "ocrelay_http_requests_total" and s.labels["route"] == route)

    @property
    def workers(self) -> list[int]:
        found = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.process.said.splitlines()]


@pytest.fixture(scope="module")
def api(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("api")
    settings = Settings.load(
        data_dir=folder / "data",
        database_url=f"sqlite:///{shutil.copy(migrated_sqlite, folder / 'ocrelay.sqlite3')}",
        redis_url="redis://127.0.0.1:1/0",
        port=free_port(),
        log_format="json",
    )
    (folder / "data").mkdir()
    api = Api(settings, folder / "api.log")
    yield api
    api.process.end()


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "malformed_request"),
    "HTTP of another age": (b"GET / HTTP/9.9\r\n" + HOST + END, 400, "malformed_request"),
    "a header without a colon": (b"GET / HTTP/1.1\r\n" + HOST + b"nonsense\r\n" + END, 400, "malformed_request"),
    "a length below zero": (POST + b"Content-Length: -1\r\n" + END, 400, "malformed_request"),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n" + END, 400, "malformed_request"),
    "a chunk without a size": (POST + b"Transfer-Encoding: chunked\r\n" + END + b"zz\r\nab", 400, "incomplete_body"),
    "a long address": (b"GET /?apikey=" + SECRET.encode() * 500 + b" HTTP/1.1\r\n" + END, 414, "uri_too_long"),
    "an expectation": (POST + b"Expect: " + SECRET.encode() + b"\r\n" + END, 417, "expectation_failed"),
    "a long header": (b"GET / HTTP/1.1\r\nX: " + SECRET.encode() * 9000 + b"\r\n" + END, 431, "headers_too_large"),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"X: 1\r\n" * 200 + END, 431, "headers_too_large"),
    "an unknown coding": (POST + b"Transfer-Encoding: rot13\r\n" + END, 501, "transfer_not_supported"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_request_is_refused_in_the_one_shape_and_said_in_the_log(api: Api, what: str) -> None:
    raw, status, code = REFUSED[what]
    answered, headers, body = api.ask(raw)
    assert (answered, headers["content-type"]) == (status, "application/problem+json")
    problem = answers.Problem.model_validate_json(body, strict=True)
    assert (problem.status, problem.code) == (status, code)
    assert problem.request_id == headers["x-request-id"]
    assert headers["connection"] == "close"
    wait_until(lambda: any(line.get("request_id") == problem.request_id for line in api.lines), what="its line")
    (line,) = (line for line in api.lines if line.get("request_id") == problem.request_id)
    assert (line["event"], line["status"], line["client_ip"]) in (
        ("request.refused", status, "127.0.0.1"),
        ("request.answered", status, "127.0.0.1"),
    )
    assert "exception" not in line


def test_each_request_has_one_line_without_its_query(api: Api) -> None:
    raw = f"POST /v1/jobs?layout=line&apikey={SECRET} HTTP/1.1\r\nAuthorization: Bearer {SECRET}\r\n"
    raw += f"X-Request-ID: line-1\r\nCookie: {SECRET}\r\nContent-Length: 3\r\n"
    status, _, body = api.ask(raw.encode() + HOST + END + b"abc")
    wait_until(lambda: any(line.get("request_id") == "line-1" for line in api.lines), what="its line")
    (line,) = (line for line in api.lines if line.get("request_id") == "line-1")
    assert line.pop("duration_ms") >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line.pop("timestamp"))
    assert line == {
        "level": "info",
        "message": "A request was answered.",
        "event": "request.answered",
        "method": "POST",
        "path": "/v1/jobs",
        "status": status,
        "bytes": len(body),
        "client_ip": "127.0.0.1",
        "code": "unknown_option",
        "request_id": "line-1",
    }
    assert SECRET not in api.process.said


def test_a_path_cannot_forge_a_line_of_the_log(api: Api) -> None:
    api.get("/%0a%7B%22event%22:%22forged%22%7D%1b[31m")
    wait_until(lambda: any("forged" in line.get("path", "") for line in api.lines), what="its line")
    assert not any(line["event"] == "forged" for line in api.lines)


def test_machines_that_ask_every_few_seconds_do_not_fill_the_log(api: Api) -> None:
    for path in ("/healthz", "/metrics"):
        api.get(path)
    api.get("/nowhere-after")
    wait_until(lambda: any(line.get("path") == "/nowhere-after" for line in api.lines), what="its line")
    assert not any(line.get("path") in ("/healthz", "/metrics") for line in api.lines)


def test_whichever_process_answers_knows_all_requests_also_of_one_that_was_killed(api: Api) -> None:
    counted = api.answered("/openapi.json", "/openapi.json")
    for number in range(1, 21):  # the processes take turns
        assert api.answered("/openapi.json", "/openapi.json") == counted + number
    before = set(api.workers)
    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: len(set(api.workers) - before) == 1, what="another process in its place")
    wait_until(lambda: len(api.workers) == len(before), what="all processes")
    for number in range(21, 31):
        assert api.answered("/openapi.json", "/openapi.json") == counted + number


def test_refused_uploads_are_counted_by_code(api: Api) -> None:
    api.ask(POST + b"Content-Length: 3\r\n" + END + b"abc")
    families = {family.name: family for family in text_string_to_metric_families(api.get("/metrics")[2].decode())}
    counted = {sample.labels["code"]: sample.value for sample in families["ocrelay_uploads_refused"].samples}
    assert counted["unsupported_media_type"] >= 1
    routes = {sample.labels["route"] for sample in families["ocrelay_http_requests"].samples}
    assert all(route == "unmatched" or "nowhere" not in route for route in routes)
