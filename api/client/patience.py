"""Asking again: after `Retry-After` where the server names a time, with growing pauses where it does not answer."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TypeVar

from api.client.refusal import Away, Refused
from shared import clock, errors

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 15.0
QUIET_SECONDS = 5.0
"""A server that comes and goes is told of so often."""
SERVER_IN_TROUBLE = 500
"""From this status on a refusal says that the server cannot, as if it were away."""


class Stopped(errors.OcrelayError):
    """The command was ended before this was done. Go on with --resume."""

    code = "stopped"


class Patience:
    """How long a client asks again. Threads share it: one that is told to wait lets the others wait, too.

    A server that was never there is given up at once, unless the user wants to wait for it; one that went away is
    waited for. A limit of requests is no reason to give up: it says when it ends.
    """

    def __init__(self, seconds: float, say: Callable[[str], None], *, wait_for_first: bool = False) -> None:
        """Begin to count.

        Args:
            seconds: How long the server may be away.
            say: Told once about each time of waiting.
            wait_for_first: Whether to wait for a server that has not answered yet.
        """
        self._seconds = seconds
        self._say = say
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._not_before: dict[str, float] = {}
        self._answered_at = clock.monotonic() if wait_for_first else None
        self._is_waiting = False
        self._said_at = float("-inf")

    def stop(self) -> None:
        """Let every call end with Stopped before its next try."""
        self._stop.set()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` was called."""
        return self._stop.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, unless stopped."""
        self._stop.wait(seconds)

    def call(self, kind: str, do: Callable[[], T]) -> T:
        """Do it, again and again while it makes sense.

        Args:
            kind: `submit` or `other`: the server counts them apart.
            do: One request that may be repeated without harm.

        Raises:
            Stopped: The user wants no more.
            Away: The server was away for too long.
            Refused: Asking again would not help.
        """
        tries = 0
        while True:
            self._wait_for_turn(kind)
            try:
                answer = do()
            except Away as error:
                self._bear(error)
                self.pause(pause_after(tries))
            except Refused as error:
                if not error.is_for_now:
                    self._note_answer()
                    raise
                if error.status >= SERVER_IN_TROUBLE:
                    self._bear(error)
                else:
                    self._note_answer()
                self._hold(kind, pause_after(tries) if error.wait_seconds is None else error.wait_seconds, error)
            else:
                self._note_answer()
                return answer
            tries += 1

    def _wait_for_turn(self, kind: str) -> None:
        while not self.is_stopped:
            with self._lock:
                left = self._not_before.get(kind, 0.0) - clock.monotonic()
            if left <= 0:
                return
            self.pause(left + random.uniform(0, 0.2))
        raise Stopped()

    def _note_answer(self) -> None:
        with self._lock:
            self._answered_at = clock.monotonic()
            self._is_waiting = False

    def _bear(self, error: Away | Refused) -> None:
        """Raise what happened where that has lasted too long."""
        with self._lock:
            if self._answered_at is None and (isinstance(error, Refused) or error.was_there):
                self._answered_at = clock.monotonic()
            if self._answered_at is None or clock.monotonic() - self._answered_at > self._seconds:
                raise error
            now = clock.monotonic()
            is_news = not self._is_waiting and now - self._said_at > QUIET_SECONDS
            self._is_waiting = True
            if is_news:
                self._said_at = now
        if is_news:
            self._say(f"{error.message} Trying again for up to {self._seconds:.0f} seconds.")

    def _hold(self, kind: str, seconds: float, error: Refused) -> None:
        with self._lock:
            until = clock.monotonic() + seconds
            is_news = seconds >= 1 and self._not_before.get(kind, 0.0) < clock.monotonic()
            self._not_before[kind] = max(self._not_before.get(kind, 0.0), until)
        if is_news:
            self._say(f"{error.message} Waiting {seconds:.0f} seconds.")


def pause_after(tries: int) -> float:
    """Seconds before the next try: twice as long each time, up to a bound, and never the same for two clients."""
    return float(min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2 ** min(tries, 10)) * random.uniform(0.5, 1.0))
