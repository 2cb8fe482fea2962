"""Who was turned away is in the audit trail, too, so that it shows who tried; a flood of tries cannot fill it."""

from __future__ import annotations

import threading
from collections import OrderedDict

import structlog
from flask import Flask, Response, request

from api.access.client_ip import bucket
from api.http import caller, request_log
from api.http.facts import facts_of
from api.service.parts import Parts
from api.service.trail.refusals import note_refusal
from shared import clock, errors

log = structlog.get_logger(__name__)

OF_CLIENT = (401, 403, 429)
"""Refused whatever was asked."""
OF_UPLOAD = (413, 415, 422)
"""Refused because of what was sent; only where documents are."""
WINDOW_SECONDS = 60.0
MOST_OF_ONE = 1
"""In each window so many events for one address and one reason."""
MOST = 60
"""In each window so many events of one process, whoever asks."""
REMEMBERED = 10_000


class Ration:
    """Says which refusals are written down: few of each kind, and not too many in all."""

    def __init__(self, most_of_one: int = MOST_OF_ONE, most: int = MOST) -> None:
        self._most_of_one = most_of_one
        self._most = most
        self._lock = threading.Lock()
        self._started = clock.monotonic()
        self._count = 0
        self._counts: OrderedDict[tuple[str, str], int] = OrderedDict()

    def allows(self, address: str, code: str) -> bool:
        """Whether one more is written down."""
        now = clock.monotonic()
        with self._lock:
            if now - self._started >= WINDOW_SECONDS:
                self._started, self._count = now, 0
                self._counts.clear()
            found = self._counts.get((address, code), 0)
            if found >= self._most_of_one or self._count >= self._most or len(self._counts) >= REMEMBERED:
                return False
            self._counts[address, code] = found + 1
            self._count += 1
        return True


def register(app: Flask, parts: Parts) -> None:
    """Write down what the application refuses."""
    ration = Ration()

    @app.after_request
    def note(response: Response) -> Response:
        code = request_log.code_of(request.environ)
        if code is not None and _is_worth_it(app, response.status_code):
            client = caller.current()
            if ration.allows(bucket(client.address), code):
                try:
                    note_refusal(parts, client, code, key_id=request_log.key_of(request.environ))
                except errors.DatabaseUnavailable as error:
                    log.warning(
                        "A refused request was not written down.", event_name="refusal.not_noted", error=str(error)
                    )
        return response


def _is_worth_it(app: Flask, status: int) -> bool:
    if status in OF_CLIENT:
        return True
    found = facts_of(app, request)
    return status in OF_UPLOAD and found is not None and found.takes_upload
