"""api/nginx.conf in a real nginx: its own errors have our shape, and it finds an API that moved to another address."""

from __future__ import annotations

import gzip
import io
import json
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from api.app import create_app
from api.http import answers, problems
from api.web import files
from shared import errors
from shared.settings import Settings
from shared.telemetry import trace
from tests import services as real
from tests.ports import free_port

CONF = (Path(__file__).parents[2] / "api" / "nginx.conf").read_text("utf-8")
MAIN = """
daemon off; pid nginx.pid; error_log error.log warn; {user}
events {{}}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    include {site};
}}
"""
ADDRESSES = ("127.0.0.1", "127.0.0.2")


def nginx_program() -> str:
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if found is None:
        real.unavailable("nginx is not installed: apt-get install nginx")
    return found


class Names(threading.Thread):
    """A name server that knows one address, whatever it is asked for."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.address = ADDRESSES[0]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self.start()

    def run(self) -> None:
        while True:
            question, client = self._socket.recvfrom(512)
            if not question:
                return
            asked = question[12 : question.index(b"\0", 12) + 5]
            answer = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(self.address)
            self._socket.sendto(question[:2] + struct.pack(">5H", 0x8180, 1, 1, 0, 0) + asked + answer, client)

    def end(self) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self.join()
        self._socket.close()


class Upstream:
    """An API that says at which address it was asked, and with which headers."""

    def __init__(self, address: str, port: int) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/slow":
                    time.sleep(3)
                body = json.dumps({"address": address, "headers": dict(self.headers.items())}).encode()
                self.send_response(404 if self.path == "/missing" else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer((address, port), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Front:
    """nginx with our file, but for addresses, ports and shorter times."""

    def __init__(self, folder: Path) -> None:
        self.names, self.port, self.upstream_port = Names(), free_port(), free_port()
        site = CONF.replace("listen 8080;", f"listen 127.0.0.1:{self.port};")
        site = site.replace("127.0.0.11 valid=5s", f"127.0.0.1:{self.names.port} valid=1s")
        site = site.replace("http://api:8000", f"http://api.test:{self.upstream_port}")
        site = site.replace("proxy_read_timeout 90s", "proxy_read_timeout 1s")
        (folder / "site.conf").write_text(site)
        user = "user root;" if Path("/proc/self").owner() == "root" else ""
        (folder / "nginx.conf").write_text(MAIN.format(site=folder / "site.conf", user=user))
        command = [nginx_program(), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        real.wait_until(self._listens, what="nginx")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def ask(self, raw: bytes) -> tuple[int, dict[str, str], bytes]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(raw)
            answer = b""
            while part := connection.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *lines = head.decode("latin-1").split("\r\n")
        return int(status.split(" ")[1]), {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}, body

    def get(self, path: str, more: str = "") -> tuple[int, dict[str, str], bytes]:
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: ocr.test\r\n{more}Connection: close\r\n\r\n".encode())

    def end(self) -> None:
        self._process.terminate()
        self._process.wait()
        self.names.end()


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    front = Front(tmp_path_factory.mktemp("nginx"))
    yield front
    front.end()


@pytest.fixture
def upstream(front: Front) -> Iterator[Upstream]:
    upstream = Upstream(ADDRESSES[0], front.upstream_port)
    real.wait_until(lambda: front.get("/")[0] == 200, what="the name of another address to be forgotten")
    yield upstream
    upstream.close()


def check(answer: tuple[int, dict[str, str], bytes], error: type[errors.OcrelayError]) -> None:
    status, headers, body = answer
    assert (status, headers["content-type"]) == (error.http_status, problems.MEDIA_TYPE)
    problem = answers.Problem.model_validate_json(body, strict=True)
    told = (problem.status, problem.code, problem.detail, problem.retryable)
    assert told == (error.http_status, error.code, error().message, error.retryable)
    assert problem.request_id == headers["x-request-id"] == trace.request_id_of(problem.request_id)
    assert ("retry-after" in headers) == error.retryable


def test_without_an_api_the_answer_is_a_problem_with_an_id(front: Front) -> None:
    check(front.get("/v1/jobs"), errors.BadGateway)
    check(front.get("/v1/jobs", "X-Request-ID: mine-1\r\n"), errors.BadGateway)
    assert json.loads(front.get("/", "X-Request-ID: mine-1\r\n")[2])["request_id"] == "mine-1"


@pytest.mark.parametrize("given", ['a"b', "a b", "x" * 65, "{}"])
def test_an_id_that_could_break_the_answer_is_replaced(front: Front, given: str) -> None:
    answer = front.get("/", f"X-Request-ID: {given}\r\n")
    check(answer, errors.BadGateway)
    assert re.fullmatch("[0-9a-f]{32}", json.loads(answer[2])["request_id"])


def test_an_api_that_does_not_answer_in_time_is_a_problem_too(front: Front, upstream: Upstream) -> None:
    check(front.get("/slow"), errors.GatewayTimeout)


def test_what_nginx_refuses_itself_has_the_one_shape(front: Front) -> None:
    long = "a" * 40_000
    check(front.ask(b"nonsense\r\n\r\n"), errors.MalformedRequest)
    check(front.get(f"/{long}"), errors.UriTooLong)
    check(front.get("/", f"X: {long}\r\n"), errors.HeadersTooLarge)
    head = "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    check(front.ask(f"{head}Content-Length: {100 << 20}\r\n\r\n".encode()), errors.DocumentTooLarge)
    check(front.ask(f"{head}Transfer-Encoding: rot13\r\n\r\n".encode()), errors.TransferNotSupported)


def test_measurements_are_not_for_outside(front: Front, upstream: Upstream) -> None:
    check(front.get("/metrics"), errors.NotFound)


def test_an_answer_of_the_api_is_left_as_it_is(front: Front, upstream: Upstream) -> None:
    status, _, body = front.get("/missing", "X-Request-ID: mine-2\r\nX-Forwarded-For: 192.0.2.1\r\n")
    headers = json.loads(body)["headers"]
    assert (status, headers["X-Request-ID"], headers["X-Forwarded-For"]) == (404, "mine-2", "127.0.0.1")


def test_an_api_that_moved_to_another_address_is_found(front: Front) -> None:
    """What `docker compose up --force-recreate api` does; an upstream that is resolved once answers 502 for ever."""
    first = Upstream(ADDRESSES[0], front.upstream_port)
    assert json.loads(front.get("/")[2])["address"] == ADDRESSES[0]
    first.close()
    front.names.address = ADDRESSES[1]
    second = Upstream(ADDRESSES[1], front.upstream_port)
    try:
        real.wait_until(lambda: front.get("/")[0] == 200, what="the new address")
        assert json.loads(front.get("/")[2])["address"] == ADDRESSES[1]
    finally:
        second.close()
        front.names.address = ADDRESSES[0]
        real.wait_until(lambda: front.get("/")[0] == 502, what="the old address")


def test_each_error_of_nginx_is_one_of_ours() -> None:
    """Also without an nginx: its lines say what the classes say."""
    lines = re.findall(r"^    (\d+|default) '(\"title\".*)';$", CONF, re.MULTILINE)
    told = {status: json.loads("{" + line + "}") for status, line in lines}
    named = re.findall(r"^    error_page ([\d ]+) /\.problem;$", CONF, re.MULTILINE)[0].split()
    assert set(named) - {"500"} | {"431"} == told.keys() - {"default"}
    for status, line in told.items():
        error = errors.by_code(line["code"]) if status != "default" else errors.Internal
        assert line["status"] == error.http_status == int(status.replace("default", "500"))
        assert (line["detail"], line["retryable"]) == (error().message, error.retryable)
    retryable = {status for status, line in told.items() if line["retryable"]}
    assert set(re.findall(r"~\^\((.*)\)\$ 2;", CONF)[0].split("|")) == retryable


def test_the_files_of_the_pages_come_compressed_and_are_kept_for_a_year(front: Front, tmp_path: Path) -> None:
    app = create_app(Settings.load(data_dir=tmp_path, redis_url="redis://127.0.0.1:1/0"))

    def bounded(environ: dict[str, Any], start: Any) -> Any:
        """The application, whose input ends where the body does, as that of a grown server does."""
        return app(environ | {"wsgi.input": io.BytesIO()}, start)

    server = make_server(ADDRESSES[0], front.upstream_port, bounded, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        path = f"/static/{files.generation()}/vendor/htmx.js"
        real.wait_until(lambda: front.get(path)[0] == 200, what="the name of another address to be forgotten")
        _, headers, body = front.get(path, "Accept-Encoding: gzip, br\r\n")
        assert (headers["content-encoding"], headers["cache-control"]) == ("gzip", files.FOR_EVER)
        assert "accept-encoding" in headers["vary"].lower()
        assert b"htmx" in gzip.decompress(body) and len(body) < 0.5 * len(front.get(path)[2])
        _, headers, body = front.get("/nowhere", "Accept: text/html\r\nAccept-Encoding: gzip\r\n")
        assert headers["content-encoding"] == "gzip"
        assert body.partition(b"\r\n")[2][:2] == b"\x1f\x8b", "the first chunk begins as gzip does"
    finally:
        server.shutdown()
        server.server_close()
