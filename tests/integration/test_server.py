"""The API as it really listens, against requests that no honest client sends. No broker and no worker is needed."""

from __future__ import annotations

import base64
import gzip
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from shared import jobs
from shared.database import Database
from shared.settings import Settings
from tests.ports import free_port
from tests.raw_http import Connection, Reply, form, request
from tests.services import Process, wait_until
from tests.unit.api.conftest import png

THREADS = 3
BINARY = "Content-Type: application/octet-stream"
JSON = "Content-Type: application/json"
CODES = {
    400: "malformed_request",
    414: "uri_too_long",
    417: "expectation_failed",
    431: "headers_too_large",
    501: "transfer_not_supported",
}
"""What gunicorn refuses: status and code."""


class Server:
    """`ocrelay api`: one process of few threads, so that it is soon seen who holds them."""

    def __init__(self, folder: Path, template: Path, *, slow_client_seconds: float = 20) -> None:
        shutil.copy(template, folder / "ocrelay.sqlite3")
        self.settings = Settings.load(
            data_dir=folder, port=free_port(), redis_url="redis://127.0.0.1:1/0", api_processes=1, api_threads=THREADS,
            slow_client_seconds=slow_client_seconds, max_document_bytes=200_000, wait_limit_seconds=1,
        )  # fmt: skip
        self.connections: list[Connection] = []
        self.process = Process(self.settings, "api", output=folder / "api.log")
        self.database = Database(self.settings.database)
        wait_until(self._answers, what="the API")

    def _answers(self) -> bool:
        with suppress(OSError):
            return self.ask(request("GET", "/healthz")).status == 200
        assert self.process.status is None, self.process.said
        return False

    def connect(self) -> Connection:
        self.connections.append(Connection(self.settings.port))
        return self.connections[-1]

    def hang_up(self) -> None:
        """Close every connection."""
        while self.connections:
            self.connections.pop().close()

    def ask(self, content: bytes) -> Reply:
        """Send bytes on a connection of their own and read the answer."""
        reply = self.connect().send(content).reply()
        assert reply is not None, "the connection was closed without an answer"
        return reply

    def job_count(self) -> int:
        with self.database.read() as connection:
            return sum(jobs.counts(connection).values())

    def blob_count(self) -> int:
        return sum(path.is_file() for path in self.settings.blobs_dir.rglob("*"))

    def end(self) -> None:
        self.hang_up()
        self.database.close()
        self.process.end()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"), migrated_sqlite)
    yield server
    server.end()
    assert "Traceback" not in server.process.said


@pytest.fixture(autouse=True)
def connections_end_with_the_test(server: Server) -> Iterator[None]:
    yield
    server.hang_up()


@pytest.fixture
def unharmed(server: Server) -> Iterator[Server]:
    """The server, which must have stored nothing at the end of the test."""
    before = server.job_count(), server.blob_count()
    yield server
    assert (server.job_count(), server.blob_count()) == before


def refused(reply: Reply, status: int, code: str) -> None:
    """The answer is a problem document with this status and code."""
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json"), reply
    assert (reply.json["status"], reply.json["code"]) == (status, code), reply.json


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity", "Zstd"])
def test_a_body_that_must_be_unpacked_is_refused(unharmed: Server, encoding: str) -> None:
    body = gzip.compress(bytes(50 << 20))
    refused(
        unharmed.ask(request("POST", "/v1/jobs", body, f"Content-Encoding: {encoding}")), 415, "unsupported_encoding"
    )


def test_a_body_that_ends_early_is_refused_and_not_taken_for_a_whole_document(unharmed: Server) -> None:
    whole = request("POST", "/v1/jobs", png(), BINARY)
    connection = unharmed.connect().send(whole[:-10]).end_of_sending()
    reply = connection.reply()
    assert reply is not None
    refused(reply, 400, "incomplete_body")
    body, kind = form(('name="file"; filename="a.png"', png()))
    reply = unharmed.connect().send(request("POST", "/v1/jobs", body, kind)[:-8]).end_of_sending().reply()
    assert reply is not None
    refused(reply, 400, "incomplete_body")


def test_a_body_in_chunks_needs_no_length(server: Server) -> None:
    content = png(9, 9)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (content[:5], content[5:]))
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n{BINARY}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    reply = server.ask(head + chunks + b"0\r\n\r\n")
    assert reply.status == 202
    assert reply.json["document"]["size_bytes"] == len(content)


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"5\r\nabcdefgh\r\n", b"-1\r\n", b"5;a=\x00\r\nhello\r\n0\r\n\r\n"])
def test_malformed_chunks_are_refused(unharmed: Server, chunks: bytes) -> None:
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n{BINARY}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    refused(unharmed.ask(head + chunks + b"\r\n"), 400, "incomplete_body")


def test_endless_chunks_are_refused_at_the_limit(unharmed: Server) -> None:
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n{BINARY}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    refused(unharmed.ask(head + b"80000\r\n" + bytes(0x80000) + b"\r\n0\r\n\r\n"), 413, "document_too_large")


SMUGGLED = b"GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 6",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5_0",
        "Content-Length: " + "9" * 5000,
        "Content-Length : 5",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity, chunked\r\nTransfer-Encoding: gzip",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "X: a\r\n Transfer-Encoding: chunked",
        "X: a\rContent-Length: 5",
        "X: a\nContent-Length: 5",
        "X\x00: a",
        "Host: other",
    ],
)
def test_a_request_that_two_servers_could_read_differently_is_refused_and_ends_the_connection(
    unharmed: Server, lines: str
) -> None:
    head = f"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n\r\n".encode("latin-1")
    connection = unharmed.connect().send(head + b"0\r\n\r\n" + SMUGGLED)
    reply = connection.reply()
    assert reply is not None
    assert reply.status in (400, 501), reply
    refused(reply, reply.status, CODES[reply.status])
    assert connection.is_closed(), "what follows was taken for another request"


def test_two_requests_in_one_packet_are_answered_in_order(server: Server) -> None:
    connection = server.connect().send(request("GET", "/healthz") + request("GET", "/v1/jobs/job_no"))
    first, second = connection.reply(), connection.reply()
    assert first is not None and second is not None
    assert (first.status, second.status) == (200, 404)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (request("GET", "/healthz", b"", "X-Long: " + "x" * 9000), 431),
        (request("GET", "/healthz", b"", *[f"X-{n}: a" for n in range(150)]), 431),
        (request("GET", "/healthz?" + "x" * 9000), 414),
        (request("get", "/healthz"), 400),
        (request("GET", "/healthz").replace(b"HTTP/1.1", b"HTTP/9.9"), 400),
        (request("GET", "/healthz", b"", "Expect: tea"), 417),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n", 400),
    ],
)
def test_what_http_does_not_allow_is_a_problem_document_too(server: Server, content: bytes, status: int) -> None:
    refused(server.ask(content), status, CODES[status])


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PROPFIND", "CONNECT"])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    reply = server.ask(request(method, "/v1/jobs" if method != "CONNECT" else "localhost:80"))
    assert reply.status in (400, 404, 405)
    assert b"Host" not in reply.body


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/v1/jobs/../../../etc/passwd", "/v1/jobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/v1/jobs/%00", "/v1/jobs/..%5c..%5cetc", "//etc/passwd", "/docs/swagger/../../../../etc/passwd",
        "/docs/swagger/%2e%2e/%2e%2e/plugins.py", "/docs/swagger//etc/passwd", "/docs/swagger/..%2f..%2fplugins.py",
        "/v1/jobs/job_01m7yc6km1vnab3dt8j138ejb1%0d%0aX:%20y/image", "/v1/jobs/" + "a" * 5000,
    ],
)  # fmt: skip
def test_a_path_leads_to_nothing_but_routes(server: Server, path: str) -> None:
    reply = server.ask(request("GET", path))
    assert reply.status in (308, 404), reply
    assert b"root:" not in reply.body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "[::2]", "", "a b", "@", "127.0.0.1, x"]
)
def test_a_page_whose_name_points_here_is_refused(unharmed: Server, host: str) -> None:
    reply = unharmed.ask(request("POST", "/v1/jobs", png(), BINARY, host=host))
    assert reply.status in (400, 403)
    assert reply.headers.get("Location") is None


def test_an_address_in_an_answer_holds_no_host(server: Server) -> None:
    reply = server.ask(
        request("POST", "/v1/jobs", png(7, 7), BINARY, "X-Forwarded-Host: evil.example", host="localhost")
    )
    assert reply.headers["Location"].startswith("/v1/jobs/job_")
    assert b"evil" not in reply.body


@pytest.mark.parametrize(
    "name",
    ["../../../../etc/passwd", "..\\..\\a.png", "a\x00b.png", "CON", "é纸.png", "x" * 3000, "a%00b", "$(id)", '";a="'],
)
def test_the_name_of_a_file_is_never_used(server: Server, name: str) -> None:
    content = png(5, 3 + len(name) % 50)
    body, kind = form((f'name="file"; filename="{name}"', content))
    reply = server.ask(request("POST", "/v1/jobs", body, kind))
    assert reply.status == 202, reply
    sha256 = reply.json["document"]["sha256"]
    assert (server.settings.blobs_dir / sha256[:2] / sha256).read_bytes() == content
    assert "passwd" not in reply.body.decode()
    assert {path.name for path in server.settings.data_dir.iterdir()} <= {
        "blobs", "api.log", "ocrelay.sqlite3", "ocrelay.sqlite3-wal", "ocrelay.sqlite3-shm", "ocrelay.sqlite3-journal",
    }  # fmt: skip


FILE = ('name="file"; filename="a.png"', png())


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ([FILE] + [(f'name="a{n}"', b"1") for n in range(30)], 413, "form_too_large"),
        ([FILE, ('name="reference"', b"x" * 600_000)], 413, "document_too_large"),
        ([FILE, ('name="reference"', b"1"), ('name="reference"', b"2")], 422, "invalid_option"),
        ([FILE, FILE], 422, "missing_file"),
        ([('name="other"; filename="a.png"', png())], 422, "missing_file"),
        ([('name="file"', png())], 422, "missing_file"),
        ([FILE, ('name="layout"', b"\xff\xfe")], 422, "invalid_option"),
        ([FILE, ('name="reference"', b"a\x00b")], 422, "invalid_option"),
        ([FILE, (f'name="{"n" * 70_000}"', b"1")], 422, "unknown_option"),
        ([], 422, "missing_file"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_form_that_is_too_much_or_says_two_things_is_refused(
    unharmed: Server, parts: list[tuple[str, bytes]], status: int, code: str
) -> None:
    body, kind = form(*parts)
    refused(unharmed.ask(request("POST", "/v1/jobs", body, kind)), status, code)


def test_a_form_without_a_boundary_or_an_end_is_refused(unharmed: Server) -> None:
    body, _ = form(FILE)
    refused(unharmed.ask(request("POST", "/v1/jobs", body, "Content-Type: multipart/form-data")), 400, "invalid_form")
    body, kind = form(FILE)
    refused(unharmed.ask(request("POST", "/v1/jobs", body[:-9], kind)), 400, "invalid_form")


IMAGE = base64.b64encode(png()).decode()


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[" * 100_000, 400, "invalid_json"),
        (b'{"a":' * 50_000, 400, "invalid_json"),
        (b'{"image": NaN}', 400, "invalid_json"),
        (b'{"image": -Infinity}', 400, "invalid_json"),
        (b'{"image": 1e999999}', 422, "invalid_base64"),
        (b'{"image": ' + b"9" * 50_000 + b"}", 400, "invalid_json"),
        (json.dumps({"image": IMAGE})[:-1].encode() + b', "image": ""}', 422, "invalid_option"),
        (b'{"image": "", "image": ""}', 422, "invalid_option"),
        (b'\xff\xfe{"image": ""}', 400, "invalid_json"),
        (b'{"image": "\xff"}', 400, "invalid_json"),
        (json.dumps({"image": IMAGE, "reference": "\ud800"}).encode(), 422, "invalid_option"),
        (json.dumps({"image": IMAGE, "reference": "a\0b"}).encode(), 422, "invalid_option"),
        (json.dumps({"image": "A" * 266_000}).encode(), 415, "unsupported_media_type"),
        (json.dumps({"image": "A" * 400_000}).encode(), 413, "document_too_large"),
        (json.dumps({"image": "=" * 1000}).encode(), 422, "invalid_base64"),
        (json.dumps({"image": IMAGE, "dedupe": 0}).encode(), 422, "invalid_option"),
        (b"", 400, "invalid_json"),
    ],
)
def test_json_that_is_too_deep_or_says_two_things_is_refused(
    unharmed: Server, body: bytes, status: int, code: str
) -> None:
    refused(unharmed.ask(request("POST", "/v1/jobs", body, JSON)), status, code)


def test_connections_that_say_nothing_hold_no_thread(server: Server) -> None:
    silent = [server.connect() for _ in range(20 * THREADS)]
    assert server.ask(request("GET", "/healthz")).status == 200
    assert len(silent) == 20 * THREADS


def test_connections_that_the_client_does_not_close_do_not_hold_up_the_others(server: Server) -> None:
    """gunicorn waits two seconds for the end of each; in its main loop that would be two minutes here."""
    done = [server.connect().send(request("GET", "/healthz", b"", "Connection: close")) for _ in range(20 * THREADS)]
    assert all(connection.reply() for connection in done)
    assert server.ask(request("GET", "/healthz")).status == 200


def test_a_client_that_stands_still_is_given_up_and_frees_its_thread(tmp_path: Path, migrated_sqlite: Path) -> None:
    server = Server(tmp_path, migrated_sqlite, slow_client_seconds=1)
    try:
        headers = [server.connect().send(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ") for _ in range(2 * THREADS)]
        whole = request("POST", "/v1/jobs", png(), BINARY)
        bodies = [server.connect().send(whole[:-20]) for _ in range(2 * THREADS)]
        assert all(connection.is_closed() for connection in headers)
        for connection in bodies:
            reply = connection.reply()
            assert reply is not None
            refused(reply, 408, "body_too_slow")
        assert server.ask(request("GET", "/healthz")).status == 200
        assert (server.job_count(), server.blob_count()) == (0, 0)
    finally:
        server.end()
    assert "Traceback" not in server.process.said
