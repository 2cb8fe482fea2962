"""gunicorn around the application: several processes, threads in each, no state in any of them."""

from __future__ import annotations

import shutil
from typing import Any

from gunicorn import glogging
from gunicorn.app.base import BaseApplication

from api.app import create_app
from api.http import counters
from api.server import malformed
from api.server.slow_clients import PatientSocket
from shared import garbage, leftovers
from shared.settings import Settings
from shared.telemetry import spans

REQUESTS_PER_PROCESS = 50_000


class Log(glogging.Logger):  # type: ignore[misc]
    """gunicorn's messages among our own lines, in the form that the operator chose."""

    def setup(self, cfg: Any) -> None:
        """Leave handlers and form to the root logger; requests have their line from ``api.http.request_log``."""
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(self.LOG_LEVELS[cfg.loglevel])

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Nothing."""

    def reopen_files(self) -> None:
        """There are none."""


class Server(BaseApplication):  # type: ignore[misc]
    """Serves until SIGTERM; running requests get `graceful_timeout` seconds to end.

    Its processes count requests together in a folder of their own. That is no part of the data folder, which servers
    on several machines may share.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics_folder = leftovers.folder_of_this_process("metrics")
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its options; called by its constructor."""
        PatientSocket.still_seconds = self.settings.slow_client_seconds
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        options: dict[str, Any] = {
            "bind": [f"{host}:{self.settings.port}"],
            "workers": self.settings.api_processes,
            "worker_class": malformed.Worker,
            "logger_class": Log,
            "threads": self.settings.api_threads,
            "timeout": 120,
            "graceful_timeout": 10,
            "keepalive": 5,
            "limit_request_line": 8190,
            "max_requests": REQUESTS_PER_PROCESS,
            "max_requests_jitter": REQUESTS_PER_PROCESS // 10,
            "loglevel": "warning",
            "proc_name": "ocrelay-api",
            "control_socket_disable": True,  # one path for all servers of a user, and nobody here talks to it
            "pre_fork": take_slot,
            "post_fork": self.begin_process,
            "worker_exit": end_process,
            "on_exit": self.remove_metrics,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application in each process, after the fork."""
        application = create_app(self.settings, self.metrics_folder)
        garbage.leave_out_loaded()
        return application

    def begin_process(self, _arbiter: Any, worker: Any) -> None:
        """What a process needs before it builds its application; called after the fork."""
        counters.share(self.metrics_folder, worker.slot)
        spans.set_up(self.settings, "api")

    def remove_metrics(self, _arbiter: Any) -> None:
        """Remove the folder when the last process has ended."""
        shutil.rmtree(self.metrics_folder, ignore_errors=True)


def end_process(_arbiter: Any, _worker: Any) -> None:
    """Called in a process that ends in order."""
    spans.stop()


def take_slot(arbiter: Any, worker: Any) -> None:
    """Give a process that is about to be forked the lowest number that no living one has."""
    taken = {other.slot for other in arbiter.WORKERS.values()}
    worker.slot = next(slot for slot in range(len(taken) + 1) if slot not in taken)
