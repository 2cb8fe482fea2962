"""The client's side of the API, for the command line: submit documents and wait for their text."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

import click

from api.client.refusal import Away, refusal_of
from shared.jobs.record import State

MARGIN_SECONDS = 15
POLL_SECONDS = 20
BROKEN_OFF = (HTTPException, ConnectionResetError, BrokenPipeError)
"""What a server leaves that dies while it is asked; one that is not there refuses the connection."""


class Client:
    """One ocrelay server by its URL, asked directly: proxies of the environment are for other places."""

    def __init__(self, server: str, key: str = "") -> None:
        """Prepare the calls; nothing is asked yet.

        Raises:
            UsageError: `server` is no URL, or `key` is none that could be sent.
        """
        if not (key.isascii() and key.isprintable()):
            raise click.UsageError("The API key holds characters that no key has, such as a line's end. Copy it anew.")
        self.server = checked(server)
        self._key = key
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def submit(self, file: Path, options: Mapping[str, str], wait_seconds: int) -> dict[str, Any]:
        """Send one file; returns the job, finished if it ended within `wait_seconds`."""
        return self.send(file.read_bytes(), options, wait_seconds)

    def send(
        self, content: bytes, options: Mapping[str, str], wait_seconds: int, idempotency_key: str | None = None
    ) -> dict[str, Any]:
        """Send the bytes of one document; under the same key they become one job, however often they are sent."""
        query = urllib.parse.urlencode(options, errors="replace")  # a name of a file may be no text
        request = urllib.request.Request(f"{self.server}/v1/jobs?{query}", data=content, method="POST")  # noqa: S310
        request.add_header("Content-Type", "application/octet-stream")
        if idempotency_key is not None:
            request.add_header("Idempotency-Key", idempotency_key)
        return self._call(request, wait_seconds)

    def finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job once it has ended, however long it takes."""
        while job["state"] in (State.QUEUED, State.RUNNING):
            job = self.look(job, POLL_SECONDS)
        return job

    def look(self, job: dict[str, Any], wait_seconds: int) -> dict[str, Any]:
        """The job as it is now, or as it has ended within `wait_seconds`."""
        return self._call(urllib.request.Request(self.server + job["links"]["self"]), wait_seconds)  # noqa: S310

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """The answer to a question."""
        return self._call(urllib.request.Request(self._url(path, query)), 0)  # noqa: S310

    def stream(self, path: str, **query: object) -> Iterator[bytes]:
        """The answer to a question as it comes, for what may be too large to hold."""
        with self._opened(urllib.request.Request(self._url(path, query)), 0) as answer:  # noqa: S310
            while portion := self._read(answer):
                yield portion

    def post(self, path: str, **query: object) -> dict[str, Any]:
        """The answer to an order without a body."""
        return self._call(urllib.request.Request(self._url(path, query), method="POST"), 0)  # noqa: S310

    def _url(self, path: str, query: dict[str, object]) -> str:
        """A path given by people may hold anything; values that are None are left out."""
        kept = {name: value for name, value in query.items() if value is not None}
        given = urllib.parse.urlencode(kept, errors="replace")
        return f"{self.server}{urllib.parse.quote(path, errors='replace')}" + (f"?{given}" if given else "")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any call whose answer is a JSON object."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data=data, method=method)  # noqa: S310
        request.add_header("Content-Type", "application/json")
        return self._call(request, 0)

    def _call(self, request: urllib.request.Request, wait_seconds: int) -> dict[str, Any]:
        with self._opened(request, wait_seconds) as answer:
            try:
                found = json.load(answer)
            except (OSError, HTTPException, ValueError) as error:  # the server died in the middle, or it is another
                raise self._away(error) from None
        if not isinstance(found, dict):
            raise self._away(ValueError("its answer is not one of ocrelay"))
        return found

    def _read(self, answer: HTTPResponse) -> bytes:
        try:
            return answer.read(65536)
        except (OSError, HTTPException) as error:
            raise self._away(error) from None

    @contextmanager
    def _opened(self, request: urllib.request.Request, wait_seconds: int) -> Iterator[HTTPResponse]:
        if self._key:
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        if wait_seconds:
            request.add_header("Prefer", f"wait={wait_seconds}")
        try:
            answer = self._opener.open(request, timeout=wait_seconds + MARGIN_SECONDS)
        except urllib.error.HTTPError as error:
            raise refusal_of(error) from None
        except (OSError, HTTPException) as error:
            raise self._away(error) from None
        with answer:
            yield answer

    def _away(self, error: Exception) -> Away:
        reason = getattr(error, "reason", None) or error
        return Away(
            f"No answer from {self.server} ({reason}). Start it with `ocrelay up`, or name another with --server, or "
            "by its folder with --data.",
            was_there=isinstance(reason, BROKEN_OFF),
        )


def checked(server: str) -> str:
    """The URL of a server without a slash at its end; raises UsageError where it is none."""
    try:
        parts = urllib.parse.urlsplit(server)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        is_url = is_url and not (parts.query or parts.fragment or parts.password)
    except ValueError:  # a port that is no number, half of an address
        is_url = False
    if not is_url:
        shown = "@".join(("…", server.rpartition("@")[2])) if "@" in server else server
        raise click.UsageError(f"{shown!r} is no URL of a server. Write it like http://127.0.0.1:8000.")
    return server.rstrip("/")
