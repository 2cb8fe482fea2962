"""One POST to an address that was judged before: no redirect, no proxy, no second look-up, and an end in any case.

The connection is made by hand, to the very address that the guard saw; name and certificate are checked as ever. The
standard library's client knows neither redirects nor the proxies of the environment.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import math
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC

from shared import clock, errors
from shared.webhooks.record import Outcome
from shared.webhooks.targets import AddressRefused, Guard, NameNotFound, Target, parse

MAX_ANSWER_BYTES = 64 * 1024
KEPT_ANSWER_BYTES = 1024
DETAIL_LENGTH = 500
READ_BYTES = 8192


class _Pinned(http.client.HTTPConnection):
    """A connection to one target at one of its addresses, cut off at a deadline."""

    auto_open = 0  # else it would connect anew by itself, by name

    def __init__(self, target: Target, tls: ssl.SSLContext | None, deadline: float) -> None:
        super().__init__(target.host, target.port)
        self.default_port = 443 if target.scheme == "https" else 80  # else it would stand in the header Host
        self._target = target
        self._tls = tls
        self._deadline = deadline
        self._raw: socket.socket | None = None
        self._is_cut = False

    @property
    def is_late(self) -> bool:
        return self._is_cut or clock.monotonic() >= self._deadline

    def open(self, addresses: list[str]) -> str:
        """Connect to the first address that takes us; return it."""
        for address in addresses:
            try:
                self._raw = self._connected(address)
                break
            except OSError:
                if self.is_late or address == addresses[-1]:
                    raise
        assert self._raw is not None
        self.sock = self._raw
        if self._tls is not None:
            wrapped = self._tls.wrap_socket(self._raw, server_hostname=self._target.host, do_handshake_on_connect=False)
            self.sock = self._raw = wrapped  # before the handshake, so that it can be cut off
            wrapped.do_handshake()
        if self._is_cut:
            raise TimeoutError
        return str(self._raw.getpeername()[0])

    def answer(self) -> http.client.HTTPResponse:
        """Wait for the answer's status and headers."""
        response = self.getresponse()
        if self._is_cut:  # the standard library takes headers that break off for complete ones
            raise TimeoutError
        return response

    def _connected(self, address: str) -> socket.socket:
        raw = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        try:
            raw.settimeout(max(0.001, self._deadline - clock.monotonic()))
            raw.connect((address, self._target.port))
        except BaseException:
            raw.close()
            raise
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return raw

    def cut(self) -> None:
        """Break off whatever waits on the socket; called by another thread when the time is over."""
        self._is_cut = True
        if self._raw is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self._raw, socket.SHUT_RDWR)  # past TLS, which could wait in turn


class Sender:
    """Posts messages. Threads may share it."""

    def __init__(self, guard: Guard, *, timeout_seconds: float, tls: ssl.SSLContext | None = None) -> None:
        self._guard = guard
        self._timeout_seconds = timeout_seconds
        self._tls = tls or ssl.create_default_context()

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send one message and say what became of it. Never raises for what the other side does."""
        started = clock.monotonic()
        status, error, detail, address, answer, retry_after = None, None, None, None, None, None
        try:
            target = parse(url)
            addresses = self._guard.resolve(target, seconds=self._timeout_seconds)
            with self._connection(target, deadline=started + self._timeout_seconds) as connection:
                try:
                    address = connection.open(addresses)
                    connection.request("POST", target.path, body, dict(headers))
                    response = connection.answer()
                    status = response.status
                    retry_after = retry_after_seconds(response.headers.get("Retry-After"))
                    answer = _read(response)
                except (OSError, http.client.HTTPException, ValueError) as failure:
                    if status is None:  # the status decides; an answer that breaks off after it changes nothing
                        error, detail = _named(failure, is_late=connection.is_late)
        except errors.InvalidWebhookUrl as invalid:  # refused at submit already, unless the rules became stricter
            error, detail = "address_refused", invalid.message
        except AddressRefused as refused:
            error, detail = "address_refused", f"{refused} is not public, and not allowed by the settings."
        except NameNotFound as failure:
            error, detail = "name_not_found", str(failure)
        if status is not None and 300 <= status < 400:
            error, detail = "redirect", "Redirects are not followed. Give the endpoint its final URL."
        return Outcome(
            status=status,
            error=error,
            detail=None if detail is None else _clean(detail)[:DETAIL_LENGTH],
            address=address,
            answer=answer,
            duration_ms=round((clock.monotonic() - started) * 1000),
            retry_after_seconds=retry_after,
        )

    @contextlib.contextmanager
    def _connection(self, target: Target, *, deadline: float) -> Iterator[_Pinned]:
        connection = _Pinned(target, self._tls if target.scheme == "https" else None, deadline)
        # Time limits of sockets count from byte to byte; this one counts from the beginning.
        watch = threading.Timer(max(0.0, deadline - clock.monotonic()), connection.cut)
        watch.daemon = True
        watch.start()
        try:
            yield connection
        finally:
            watch.cancel()
            connection.close()


def retry_after_seconds(value: str | None) -> float | None:
    """Return what `Retry-After` asks for, in seconds from now; None where it says nothing that can be read."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(value)
        except (ValueError, OverflowError):
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - clock.now()).total_seconds()
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _read(response: http.client.HTTPResponse) -> str:
    """The first bytes of the answer. A short one is read to its end, so that its sender sees no broken connection."""
    kept, count = b"", 0
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        while count < MAX_ANSWER_BYTES and (chunk := response.read1(READ_BYTES)):
            count += len(chunk)
            kept = (kept + chunk)[:KEPT_ANSWER_BYTES]
    return _clean(kept.decode("utf-8", "replace"))


def _clean(text: str) -> str:
    """What every database takes: PostgreSQL no NUL, and none of them half of a surrogate pair."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _named(failure: Exception, *, is_late: bool) -> tuple[str, str]:
    detail = f"{type(failure).__name__}: {failure}"
    if is_late or isinstance(failure, TimeoutError):
        return "timed_out", "No complete answer came in time."
    if isinstance(failure, ssl.SSLError):
        return "tls_failed", detail
    if isinstance(failure, http.client.HTTPException | ValueError):
        return "invalid_answer", detail
    return "connection_failed", detail
