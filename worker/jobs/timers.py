"""A repair of kombu 5.7, whose timers are kept until their time also where they were cancelled.

Celery sets one for each task, for its time limit, and cancels it when the task has ended. So the main process held some
500 bytes for every task of the last ten minutes, 30 MB at a hundred a second, and searched a heap of so many.
"""

from __future__ import annotations

import heapq
from typing import Any

from kombu.asynchronous.timer import Timer

LEAST = 256
"""So few timers are not looked through."""

_timer: Any = Timer
_enter = _timer._enter


def _enter_and_tidy(self: Any, eta: float, priority: int, entry: Any) -> Any:
    """Enter a timer; drop the cancelled ones whenever there are twice as many as were left the last time."""
    if len(self._queue) >= vars(self).get("_tidy_at", LEAST):
        self._queue[:] = [one for one in self._queue if not one.entry.canceled]  # the loop holds this very list
        heapq.heapify(self._queue)
        self._tidy_at = max(LEAST, 2 * len(self._queue))
    return _enter(self, eta, priority, entry)


def install() -> None:
    """Let every timer of this process forget what was cancelled."""
    _timer._enter = _enter_and_tidy
