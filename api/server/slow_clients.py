"""How long gunicorn waits for a client: a slow or silent one must not keep a thread.

gunicorn's threads read with no limit of time, so a few connections that send a byte now and then would hold all of
them. Here a connection gets a thread only once it has sent something, and then it must go on sending: after some
seconds without a byte, or below LEAST_BYTES_A_SECOND over the whole request, it is given up. The rule is that of
Apache's mod_reqtimeout.
"""

from __future__ import annotations

import errno
import selectors
import socket
from functools import partial
from typing import Any

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import TConn, ThreadWorker

from shared import clock

LEAST_BYTES_A_SECOND = 4096
LINGER_SECONDS = 0.5
SEND_SECONDS = 60.0
"""A client that takes no byte of an answer for so long is given up."""


class PatientSocket(socket.socket):
    """A connection whose reads fail with TimeoutError as soon as a request comes too slowly."""

    still_seconds = 20.0
    began = 0.0
    received = 0

    def begin(self) -> None:
        """A thread turns to a request: from now on it must come."""
        self.began, self.received = clock.monotonic(), 0

    def setblocking(self, flag: bool) -> None:
        """Block, but not for ever; gunicorn asks for it once more when the connection is closed already."""
        if self.fileno() >= 0:
            self.settimeout(SEND_SECONDS if flag else 0.0)

    def has_unread(self) -> bool:
        """Whether something has come that was not received."""
        self.settimeout(0.0)
        try:
            return bool(super().recv(1, socket.MSG_PEEK))
        except OSError:
            return False

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        """Receive; raises TimeoutError.

        A timeout that the caller has set himself is left alone, where it is shorter.
        """
        before = self.gettimeout()
        earned = self.still_seconds + self.received / LEAST_BYTES_A_SECOND
        left = self.began + earned - clock.monotonic()
        if left <= 0:
            raise too_slow()
        self.settimeout(min(left, self.still_seconds, SEND_SECONDS if before is None else before))
        try:
            data = super().recv(bufsize, flags)
        except TimeoutError:
            raise too_slow() from None
        finally:
            self.settimeout(before)
        self.received += len(data)
        return data


def too_slow() -> TimeoutError:
    """An error that gunicorn takes for a connection that the client gave up: no news for its log."""
    return TimeoutError(errno.ECONNRESET, "the request comes too slowly")


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's threaded worker with an end to its patience."""

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection a thread, but a new one only once it has sent its first byte."""
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket(fileno=conn.sock.detach())
        if not conn.initialized and not conn.data_ready:
            conn.data_ready = conn.sock.has_unread()  # most have sent it by now
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.sock.setblocking(False)
        conn.set_timeout()
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def handle(self, conn: TConn) -> Any:
        """Serve one request, and close the connection here where it ends.

        gunicorn waits for the client's end of it, and would do so in its main loop, which accepts all others. That is
        only needed where the client has sent what nobody read: the answer would be lost.
        """
        conn.sock.begin()
        goes_on = super().handle(conn)
        if not goes_on and conn.sock.has_unread():
            close_graceful(conn.sock, LINGER_SECONDS)
        elif not goes_on:
            conn.close()
        return goes_on
