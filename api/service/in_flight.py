"""Which Idempotency-Keys this process is just working on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared import errors
from shared.jobs.idempotency import Key


class InFlight:
    """The keys whose first request this process has not finished.

    Between processes the database decides: the later transaction waits, sees the key, and answers what the first got.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, key: Key | None) -> Iterator[None]:
        """Hold the key for as long as the block runs; raises IdempotencyInFlight where another request holds it."""
        if key is None:
            yield
            return
        name = (key.scope, key.text)
        with self._lock:
            if name in self._keys:
                raise errors.IdempotencyInFlight()
            self._keys.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(name)
