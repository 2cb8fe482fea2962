"""HTTP as bytes, for requests that no client library would send."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.body))


class Connection:
    """A TCP connection to a server on loopback."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_SECONDS)
        self._held = b""

    def send(self, content: bytes) -> Connection:
        """Send bytes; an end that the server made is no error here."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(content)
        return self

    def end_of_sending(self) -> Connection:
        """Say that nothing more will come."""
        self._socket.shutdown(socket.SHUT_WR)
        return self

    def reply(self) -> Reply | None:
        """Read one answer; None where the server closes without one."""
        while b"\r\n\r\n" not in self._held:
            if not self._more():
                return None
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.title(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("Content-Length", 0))
        while len(self._held) < length and self._more():
            pass
        body, self._held = self._held[:length], self._held[length:]
        return Reply(int(first.split()[1]), headers, body)

    def is_closed(self) -> bool:
        """Wait for the server's end of the connection; whether it came without another byte."""
        return not self._held and not self._more()

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> bytes:
        try:
            got = self._socket.recv(65536)
        except ConnectionResetError:
            got = b""
        self._held += got
        return got


def request(method: str, path: str, body: bytes = b"", *lines: str, host: str = "127.0.0.1") -> bytes:
    """A request with these further header lines."""
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def form(*parts: tuple[str, bytes], boundary: str = "x") -> tuple[bytes, str]:
    """A multipart body of parts, each what stands behind `form-data; ` and its content; and its Content-Type line."""
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() + content + b"\r\n"
        for name, content in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"Content-Type: multipart/form-data; boundary={boundary}"
