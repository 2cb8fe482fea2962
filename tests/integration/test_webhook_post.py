"""One POST against receivers that behave well, badly, slowly or not at all. Real sockets, real TLS."""

from __future__ import annotations

import email.utils
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared import clock
from shared.settings import Settings
from shared.webhooks.targets import Guard
from tests.ports import free_port
from tests.receiver import Answer, Receiver
from tests.services import unavailable
from worker.webhooks.post import KEPT_ANSWER_BYTES, Sender, retry_after_seconds

LIMIT_SECONDS = 1.0
MARGIN_SECONDS = 10.0
"""A broken limit would take a minute or for ever; a slow machine is no failure."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def sender(timeout_seconds: float = 30, tls: ssl.SSLContext | None = None) -> Sender:
    networks = Settings.load(webhook_allowed_networks="127.0.0.1").webhook_networks
    guard = Guard(networks, lambda _host, _port: ["127.0.0.1"])
    return Sender(guard, timeout_seconds=timeout_seconds, tls=tls)


@contextmanager
def raw_server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that speaks bytes; yields its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    listener.close()
    thread.join(60)


def take_request(connection: socket.socket) -> None:
    """Read the request to its end: these tests all send the same body."""
    came = b""
    while not came.endswith(b"\r\n\r\n{}"):
        came += connection.recv(65536)


def test_the_message_arrives_as_it_was_given(receiver: Receiver) -> None:
    receiver.answer = lambda _message: Answer(200, {}, "收到".encode())
    body = '{"参考": "发票 7"}'.encode()
    outcome = sender().post(receiver.url("/a%20b?c=d", "hooks.example"), body, {"webhook-id": "dlv_1"})
    assert (outcome.status, outcome.error, outcome.address, outcome.answer) == (200, None, "127.0.0.1", "收到")
    assert outcome.succeeded
    assert outcome.duration_ms >= 0
    (message,) = receiver.messages
    assert (message.path, message.body, message.webhook_id) == ("/a%20b?c=d", body, "dlv_1")
    assert message.headers["host"] == f"hooks.example:{receiver.port}"


@pytest.mark.parametrize(("status", "succeeded"), [(200, True), (201, True), (204, True), (400, False), (404, False)])
def test_2xx_and_nothing_else_is_success(receiver: Receiver, status: int, succeeded: bool) -> None:
    receiver.answer = lambda _message: Answer(status)
    assert sender().post(receiver.url(), b"{}", {}).succeeded is succeeded


def test_only_the_first_bytes_of_an_answer_are_kept_and_nul_is_none_of_them(receiver: Receiver) -> None:
    receiver.answer = lambda _message: Answer(500, {}, b"\0\xff" + b"x" * 5_000_000)
    outcome = sender().post(receiver.url(), b"{}", {})
    assert outcome.status == 500
    assert outcome.answer == "\ufffd\ufffd" + "x" * (KEPT_ANSWER_BYTES - 2)


def test_an_endless_answer_is_not_read_to_its_end() -> None:
    sent = []

    def talk(connection: socket.socket) -> None:
        take_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while sum(sent) < 500_000_000:
            sent.append(connection.send(b"x" * 65536))

    with raw_server(talk) as url:
        outcome = sender().post(url, b"{}", {})
    assert outcome.succeeded
    assert sum(sent) < 100_000_000


def silence(connection: socket.socket) -> None:
    take_request(connection)
    connection.settimeout(60)
    connection.recv(1)


def dripping_headers(connection: socket.socket) -> None:
    take_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(1200):
        connection.sendall(b"X-A: b\r\n")
        time.sleep(0.05)


def dripping_status(connection: socket.socket) -> None:
    take_request(connection)
    for _ in range(1200):
        connection.sendall(b"H")
        time.sleep(0.05)


@pytest.mark.parametrize("talk", [silence, dripping_headers, dripping_status])
def test_an_attempt_ends_in_time_whatever_the_receiver_does(talk: Callable[[socket.socket], None]) -> None:
    started = clock.monotonic()
    with raw_server(talk) as url:
        outcome = sender(LIMIT_SECONDS).post(url, b"{}", {})
        assert clock.monotonic() - started < LIMIT_SECONDS + MARGIN_SECONDS
    assert (outcome.status, outcome.error) == (None, "timed_out")


def test_a_tls_handshake_that_never_ends_is_cut_off() -> None:
    def dripping(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"\x16\x03\x03\x40\x00")  # a record of 16 KiB that comes byte by byte
        for _ in range(1200):
            connection.sendall(b"\x00")
            time.sleep(0.05)

    started = clock.monotonic()
    with raw_server(dripping) as url:
        outcome = sender(LIMIT_SECONDS).post(url.replace("http:", "https:"), b"{}", {})
        assert clock.monotonic() - started < LIMIT_SECONDS + MARGIN_SECONDS
    assert (outcome.status, outcome.error) == (None, "timed_out")


def test_a_status_counts_although_the_rest_of_the_answer_never_comes() -> None:
    def talk(connection: socket.socket) -> None:
        take_request(connection)
        connection.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10\r\n\r\nabc")
        connection.recv(1)

    with raw_server(talk) as url:
        outcome = sender(LIMIT_SECONDS).post(url, b"{}", {})
    assert (outcome.status, outcome.error, outcome.answer) == (202, None, "abc")


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 200 + b"\r\n"]
)
def test_what_is_no_answer_is_told_from_one(said: bytes) -> None:
    def talk(connection: socket.socket) -> None:
        take_request(connection)
        connection.sendall(said)

    with raw_server(talk) as url:
        outcome = sender().post(url, b"{}", {})
    assert (outcome.status, outcome.error) in [(None, "invalid_answer"), (None, "connection_failed")]


def test_nobody_listens_there() -> None:
    outcome = sender().post(f"http://127.0.0.1:{free_port()}/", b"{}", {})
    assert (outcome.status, outcome.error, outcome.address) == (None, "connection_failed", None)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of hooks.example that nobody else knows, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        unavailable("openssl is not installed: apt-get install openssl")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=hooks.example"]
    command += ["-addext", "subjectAltName=DNS:hooks.example", "-keyout", str(path), "-out", str(path) + ".crt"]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


@contextmanager
def tls_server(certificate: Path) -> Iterator[int]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def talk(connection: socket.socket) -> None:
        with suppress(ssl.SSLError), context.wrap_socket(connection, server_side=True) as secure:
            take_request(secure)
            secure.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    with raw_server(talk) as url:
        yield int(url.rsplit(":", 1)[1].strip("/"))


def test_a_certificate_is_checked_against_the_name_although_the_address_is_pinned(certificate: Path) -> None:
    known = ssl.create_default_context(cafile=str(certificate))
    with tls_server(certificate) as port:
        outcome = sender(tls=known).post(f"https://hooks.example:{port}/", b"{}", {})
    assert (outcome.status, outcome.error, outcome.address) == (204, None, "127.0.0.1")
    with tls_server(certificate) as port:
        assert sender(tls=known).post(f"https://other.example:{port}/", b"{}", {}).error == "tls_failed"


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path) -> None:
    with tls_server(certificate) as port:
        outcome = sender().post(f"https://hooks.example:{port}/", b"{}", {})
    assert (outcome.status, outcome.error) == (None, "tls_failed")
    assert "CERTIFICATE_VERIFY_FAILED" in str(outcome.detail)


def test_retry_after_is_read_in_both_its_forms() -> None:
    assert retry_after_seconds("120") == 120
    assert retry_after_seconds("-5") == 0
    later = email.utils.format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    assert retry_after_seconds(later) == pytest.approx(3600, abs=60)
    assert retry_after_seconds("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    for nothing in (None, "", "soon", "inf", "nan", "1e999"):
        assert retry_after_seconds(nothing) is None


def test_retry_after_comes_with_the_outcome(receiver: Receiver) -> None:
    receiver.answer = lambda _message: Answer(429, {"Retry-After": "7"})
    assert sender().post(receiver.url(), b"{}", {}).retry_after_seconds == 7
