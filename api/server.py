"""gunicorn around the application: several processes, threads in each, no state in any of them."""

from __future__ import annotations

from typing import Any

from gunicorn.app.base import BaseApplication

from api.app import create_app
from shared.settings import Settings

REQUESTS_PER_PROCESS = 50_000


class Server(BaseApplication):  # type: ignore[misc]
    """Serves until SIGTERM; running requests get `graceful_timeout` seconds to end."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its options; called by its constructor."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        options: dict[str, Any] = {
            "bind": [f"{host}:{self.settings.port}"],
            "workers": self.settings.api_processes,
            "worker_class": "gthread",
            "threads": self.settings.api_threads,
            "timeout": 120,
            "graceful_timeout": 10,
            "keepalive": 5,
            "max_requests": REQUESTS_PER_PROCESS,
            "max_requests_jitter": REQUESTS_PER_PROCESS // 10,
            "loglevel": "warning",
            "proc_name": "ocrelay-api",
            "control_socket_disable": True,  # one path for all servers of a user, and nobody here talks to it
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application in each process, after the fork."""
        return create_app(self.settings)
