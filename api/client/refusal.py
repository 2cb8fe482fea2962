"""What a server answers when it does not do what is asked, and what the command line says and does then."""

from __future__ import annotations

import json
import urllib.error
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

from shared import clock, errors

GATEWAYS = (502, 503, 504)
"""What a proxy answers while the server behind it is away."""
OF_DOCUMENT = (413, 415, 422, 500)
"""With one of these the document was refused, or the server tripped over it; others may be taken."""
NEVER_BETTER = ("too_many_wrong_keys",)
"""Waiting does not help, though the server names a time."""


class Away(errors.OcrelayError):
    """The server does not answer. Start it with `ocrelay up`, or name another with --server."""

    code = "server_away"
    retryable = True
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, was_there: bool = False) -> None:
        """Say what happened; was_there: it took the connection, and went away in the middle."""
        self.was_there = was_there
        super().__init__(message)


class Refused(errors.OcrelayError):
    """The server refused the request. The message says why and the way out."""

    code = "refused"
    exit_code: ClassVar[int] = 4

    def __init__(
        self, message: str, *, status: int, answer: dict[str, Any] | None = None, wait_seconds: float | None = None
    ) -> None:
        self.status = status
        self.answer = answer or {}
        self.wait_seconds = wait_seconds
        super().__init__(message)

    @property
    def is_of_document(self) -> bool:
        """Whether another document may be taken."""
        return self.status in OF_DOCUMENT

    @property
    def is_for_now(self) -> bool:
        """Whether the same request may be taken later."""
        return bool(self.answer.get("retryable")) and self.answer.get("code") not in NEVER_BETTER

    def to_json(self) -> dict[str, Any]:
        """The same as the error of a job, with the server's own code."""
        names = ("code", "retryable", "details", "request_id")
        known = {name: self.answer[name] for name in names if name in self.answer}
        return super().to_json() | {"details": {}} | known


def refusal_of(error: urllib.error.HTTPError) -> Refused | Away:
    """What an answer with an error status means."""
    try:
        body = json.load(error)
        message = explained(body, error.code)
    except (OSError, ValueError, KeyError, TypeError):
        said = f"The server answered {error.code} {error.reason}."
        if error.code in GATEWAYS:
            return Away(f"{said} Its proxy does not reach it; try again later.", was_there=True)
        return Refused(f"{said} Check --server.", status=error.code)
    return Refused(
        message, status=error.code, answer=body, wait_seconds=seconds_of(error.headers.get("Retry-After", ""))
    )


def explained(body: dict[str, Any], status: int) -> str:
    """What a problem document says, with its details and the id under which the server's log knows the request."""
    facts = [str(body["code"])]
    facts += [f"{name}: {shown(value)}" for name, value in (body.get("details") or {}).items() if value is not None]
    if body.get("request_id"):
        facts.append(f"request {body['request_id']}")
    hint = " Set OCRELAY_API_KEY, or give --api-key." if status == 401 else ""
    return f"{body['detail']} ({'; '.join(facts)}){hint}"


def shown(value: object) -> str:
    """A detail for reading."""
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(map(str, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def seconds_of(retry_after: str) -> float | None:
    """Seconds until the time of a `Retry-After`, which is a number or a date; None: neither."""
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - clock.now()).total_seconds())
    except (TypeError, ValueError):
        return None
