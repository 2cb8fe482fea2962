"""What one process of the API counts itself: requests by route, and refused uploads by code.

With several processes each writes its numbers into a file of a folder that they share, and any of them adds up all.
The files are named after a slot, not a process id: who takes the place of a process that ended goes on with its file,
so the numbers never fall, and there are no more files than processes at once.
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

from shared.settings import use_metrics_folder

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class HttpMetrics:
    """The counters of a process."""

    def __init__(self, folder: Path | None = None) -> None:
        """Make the counters, at 0 or as the last process of this slot left them.

        Args:
            folder: What ``share`` was called with; None: this process is the only one.
        """
        self._folder = folder
        self._own = CollectorRegistry()
        self._requests = Counter(
            "ocrelay_http_requests",
            "Requests that were answered.",
            ["method", "route", "status"],
            registry=self._own,
        )
        self._seconds = Histogram(
            "ocrelay_http_request_duration_seconds",
            "Time from a request's headers to the last byte of its answer; waiting requests included.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=self._own,
        )
        self._refused = Counter(
            "ocrelay_uploads_refused",
            "Submissions that were answered with an error, by its code.",
            ["code"],
            registry=self._own,
        )

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request. Routes are templates, so there are only so many."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def count_refused(self, code: str) -> None:
        """Count a submission that was refused."""
        self._refused.labels(code).inc()

    def registry(self) -> CollectorRegistry:
        """A fresh registry that holds the sums of all processes, to which more can be added."""
        registry = CollectorRegistry()
        if self._folder is not None:
            MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        else:
            registry.register(self._own)
        return registry


def share(folder: Path, slot: int) -> None:
    """Let the metrics that this process makes from now on live in files of a folder, as those of a slot.

    Args:
        folder: The same for all processes of a server.
        slot: No other living process may have the same.
    """
    use_metrics_folder(folder)
    values.ValueClass = values.MultiProcessValue(lambda: slot)  # type: ignore[no-untyped-call]
