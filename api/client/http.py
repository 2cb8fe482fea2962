"""The client's side of the API, for the command line: submit files and wait for their text."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from shared import errors
from shared.jobs.record import State

MARGIN_SECONDS = 15
POLL_SECONDS = 20


class Refused(errors.OcrelayError):
    """The server refused the request. The message says why and the way out."""

    code = "refused"


class Client:
    """One ocrelay server by its URL, asked directly: proxies of the environment are for other places."""

    def __init__(self, server: str, key: str = "") -> None:
        self.server = server.rstrip("/")
        self._key = key
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def submit(self, file: Path, options: dict[str, str], wait_seconds: int) -> dict[str, Any]:
        """Send one file; returns the job, finished if it ended within `wait_seconds`."""
        query = urllib.parse.urlencode(options)
        request = urllib.request.Request(f"{self.server}/v1/jobs?{query}", data=file.read_bytes(), method="POST")  # noqa: S310
        request.add_header("Content-Type", "application/octet-stream")
        return self._call(request, wait_seconds)

    def finished(self, job: dict[str, Any]) -> dict[str, Any]:
        """The job once it has ended, however long it takes."""
        while job["state"] in (State.QUEUED, State.RUNNING):
            job = self._call(urllib.request.Request(self.server + job["links"]["self"]), POLL_SECONDS)  # noqa: S310
        return job

    def get(self, path: str, **query: object) -> dict[str, Any]:
        """The answer to a question."""
        return self._call(urllib.request.Request(self._url(path, query)), 0)  # noqa: S310

    def stream(self, path: str, **query: object) -> Iterator[bytes]:
        """The answer to a question as it comes, for what may be too large to hold."""
        with self._opened(urllib.request.Request(self._url(path, query)), 0) as answer:  # noqa: S310
            yield from iter(lambda: answer.read(65536), b"")

    def post(self, path: str, **query: object) -> dict[str, Any]:
        """The answer to an order without a body."""
        return self._call(urllib.request.Request(self._url(path, query), method="POST"), 0)  # noqa: S310

    def _url(self, path: str, query: dict[str, object]) -> str:
        """A path given by people may hold anything; values that are None are left out."""
        given = urllib.parse.urlencode({name: value for name, value in query.items() if value is not None})
        return f"{self.server}{urllib.parse.quote(path)}" + (f"?{given}" if given else "")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any call whose answer is a JSON object."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server + path, data=data, method=method)  # noqa: S310
        request.add_header("Content-Type", "application/json")
        return self._call(request, 0)

    def _call(self, request: urllib.request.Request, wait_seconds: int) -> dict[str, Any]:
        with self._opened(request, wait_seconds) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    @contextmanager
    def _opened(self, request: urllib.request.Request, wait_seconds: int) -> Iterator[HTTPResponse]:
        if self._key:
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        if wait_seconds:
            request.add_header("Prefer", f"wait={wait_seconds}")
        try:
            with self._opener.open(request, timeout=wait_seconds + MARGIN_SECONDS) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            raise Refused(detail_of(error)) from None
        except (OSError, HTTPException) as error:
            raise Refused(
                f"No answer from {self.server} ({error}). Start it with `ocrelay up`, or name another with --server."
            ) from None


def detail_of(error: urllib.error.HTTPError) -> str:
    """What a problem document says, or the bare status of another answer."""
    try:
        body = json.load(error)
        hint = " Set OCRELAY_API_KEY, or give --api-key." if error.code == 401 else ""
        return f"{body['detail']} ({body['code']}){hint}"
    except (ValueError, KeyError, TypeError):
        return f"The server answered {error.code} {error.reason}. Check --server."
