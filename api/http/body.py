"""The body of a request: as it was announced, or an error. What ends early must not pass for a whole document."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Any

from flask import Flask, Request, request

from shared import errors

Environment = dict[str, Any]


class Announced:
    """A body that raises where it ends before its `Content-Length`, comes too slowly, or has malformed chunks.

    gunicorn gives a body that broke off as a short one, and Werkzeug takes it for complete.
    """

    def __init__(self, stream: IO[bytes], length: int | None) -> None:
        self._stream = stream
        self._left = length
        self._is_broken = False

    def read(self, size: int = -1) -> bytes:
        """Read up to so many bytes, all of them by default.

        Raises:
            IncompleteBody, SlowBody: once; after that the body is at its end.
        """
        if self._is_broken:
            return b""
        try:
            data = self._stream.read(size)
        except TimeoutError:
            self._is_broken = True
            raise errors.SlowBody() from None
        except Exception as error:
            self._is_broken = True
            raise errors.IncompleteBody() from error
        if self._left is not None:
            self._left -= len(data)
            if self._left > 0 and size != 0 and (not data or size < 0):
                self._is_broken = True
                raise errors.IncompleteBody(missing_bytes=self._left)
        return data


def register(app: Flask) -> None:
    """Let every request of the application read its body so, and refuse bodies that would have to be unpacked."""
    inner = app.wsgi_app

    def with_announced_body(environment: Environment, start_response: Any) -> Iterable[bytes]:
        length = environment.get("CONTENT_LENGTH") or ""
        environment["wsgi.input"] = Announced(environment["wsgi.input"], int(length) if length.isdecimal() else None)
        return inner(environment, start_response)

    app.wsgi_app = with_announced_body  # type: ignore[assignment, method-assign]
    app.before_request(lambda: refuse_encoded(request))


def refuse_encoded(request: Request) -> None:
    """Raises UnsupportedEncoding where the body is compressed."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if request.method in ("POST", "PATCH") and encoding not in ("", "identity"):
        raise errors.UnsupportedEncoding(encoding=encoding[:64])
