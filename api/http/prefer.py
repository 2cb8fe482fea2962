"""`Prefer: wait=N` (RFC 7240): how long a client wants its request held."""

from __future__ import annotations

import re

from flask import Request

_WAIT = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?:$|[,;])", re.IGNORECASE)


def wait_seconds(request: Request, limit: float) -> float | None:
    """Seconds to wait for the end of a job, at most `limit`; None where the client did not ask, or asked unreadably."""
    found = _WAIT.search(",".join(request.headers.getlist("Prefer")))
    return min(float(found.group(1)), limit) if found else None
