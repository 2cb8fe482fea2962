"""``ocrelay up``: start every process of one machine, restart what dies, and stop all of it in order."""

from __future__ import annotations

import hashlib
import http.client
import os
import signal
import socket
import sys
from pathlib import Path
from types import FrameType
from typing import Literal

import structlog

from shared import clock, errors, jobs, keys, workers
from shared.database import Database
from shared.migrations import migrate
from shared.private import mend
from shared.settings import Settings
from shared.up import address, broker
from shared.up.child_process import ChildProcess
from shared.up.data_dir import DataDir
from shared.webhooks import box

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.1
FAMILY_WAIT_SECONDS = 30.0
"""The children of a killed supervisor end within the grace of their lifeline; this is much longer."""
READY_SECONDS = 120.0
STOP_SECONDS = {"api": 15.0, "worker": 30.0, "sweeper": 5.0, "broker": 10.0}
"""Time to end in order; then the process group is killed."""
STOP_ORDER = (("api",), ("worker", "sweeper"), ("broker",))
"""No intake, then no work, then no broker."""
MAX_EARLY_DEATHS = 5


class Supervisor:
    """All processes of one data folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.model_copy(
            update={"node": settings.node or node_of(settings.data_dir), "port": settings.port or _free_port(settings)}
        )
        self._data_dir = DataDir(self._settings.data_dir)
        self._database = Database(self._settings.database, pool_size=1)
        self._broker: broker.EmbeddedBroker | None = None
        self._children: dict[str, ChildProcess] = {}
        self._signals = 0

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM; a second one ends everything at once.

        Raises:
            AlreadyRunning: Another supervisor works on this data folder.
            InvalidConfiguration: A process does not start; its own lines say why.
            DatabaseUnavailable: The database does not answer.
        """
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._count_signal)
        is_old = self._is_old()
        self._data_dir.take(wait_seconds=FAMILY_WAIT_SECONDS)
        _check_port(self._settings)
        self._mend()
        migrate(self._database)
        self._seal_secrets(is_old)
        self._settings.check_bind(has_keys=keys.any_exists(self._database))
        self._take_over()
        try:
            self._start()
            self._serve()
        finally:
            self._stop()
            self._data_dir.give_back()

    def _count_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1

    def _mend(self) -> None:
        """Close to others what an earlier version left open."""
        if mended := mend(self._settings.data_dir):
            log.warning(
                "Others could read files of the data folder. Now its user alone can.",
                event_name="up.made_private",
                count=mended,
            )

    def _is_old(self) -> bool:
        """Whether the database was there before."""
        return not self._database.is_sqlite or Path(str(self._database.url.database)).exists()

    def _seal_secrets(self, is_old: bool) -> None:
        """Encrypt the webhook secrets that an earlier version stored in the clear; raises SecretsLocked."""
        with self._database.write() as connection:
            sealed = box.seal_all(connection, box.Box.of(self._settings))
        if sealed and is_old:
            log.warning("Webhook secrets were encrypted.", event_name="up.secrets_sealed", count=sealed)

    def _take_over(self) -> None:
        """Give back what workers of an earlier run held. The family lock says that none of them is alive."""
        self._release_jobs("crash")

    def _start(self) -> None:
        lifeline_read, self._lifeline_write = os.pipe()
        inherited = (lifeline_read, self._data_dir.family_lock)
        settings = self._settings
        if settings.redis_url is None:
            self._broker = broker.EmbeddedBroker.prepare(broker.find_server(broker.candidates()), settings.data_dir)
            settings = settings.model_copy(update={"redis_url": self._broker.url})
            leash = [sys.executable, "-P", "-m", "shared.up.leash", str(lifeline_read), *self._broker.command]
            self._add("broker", leash, settings, inherited)
            if not self._broker.wait_until_ready(timeout_seconds=10):
                self._broker_does_not_start()
        for name in ("api", "worker", "sweeper"):
            command = [sys.executable, "-P", "-m", "shared.cli", "--lifeline", str(lifeline_read), name]
            self._add(name, command, settings, inherited)

    def _add(self, name: str, command: list[str], settings: Settings, inherited: tuple[int, ...]) -> None:
        child = ChildProcess(name, command, settings.child_environment(), inherited)
        child.start()
        self._children[name] = child

    def _broker_does_not_start(self) -> None:
        """A damaged append-only file may be the reason; the database holds the truth, so start without it."""
        assert self._broker is not None
        child = self._children["broker"]
        child.stop(timeout_seconds=STOP_SECONDS["broker"])
        self._broker.set_data_aside()
        child.start()
        if not self._broker.wait_until_ready(timeout_seconds=10):
            raise errors.InvalidConfiguration(
                f"The embedded broker does not start. The end of {self._broker.log_file}:\n"
                f"{self._broker.last_words()}\nRemove the cause, or set OCRELAY_REDIS_URL to a server that runs."
            )
        log.warning("The broker's stored messages were damaged and set aside.", event_name="broker.set_aside")

    def _serve(self) -> None:
        is_ready = False
        deadline = clock.monotonic() + READY_SECONDS
        while not self._signals:
            for child in self._children.values():
                if child.tend() and child.name == "worker":
                    self._release_jobs("crash")  # its children went with it, and nobody else is of this node
            if not is_ready:
                is_ready = self._announce()
                self._give_up_if(not is_ready and clock.monotonic() > deadline)
            clock.sleep(TICK_SECONDS)

    def _announce(self) -> bool:
        if not (self._has_worker() and _api_answers(self._settings)):
            return False
        url = f"http://{_url_host(self._settings.host)}:{self._settings.port}"
        address.write(self._settings.data_dir, url)
        print(f"ready {url}", flush=True)
        return True

    def _has_worker(self) -> bool:
        with self._database.read() as connection:
            return bool(workers.live_children(connection, node=self._settings.node))

    def _give_up_if(self, too_late: bool) -> None:
        for child in self._children.values():
            if child.deaths >= MAX_EARLY_DEATHS:
                raise errors.InvalidConfiguration(
                    f"The process `{child.name}` ended {child.deaths} times before anything was ready. "
                    "Its own lines above say why; `ocrelay doctor` checks the usual causes."
                )
        if too_late:
            raise errors.InvalidConfiguration(
                f"Nothing was ready after {READY_SECONDS:.0f} seconds. `ocrelay doctor` checks the usual causes."
            )

    def _stop(self) -> None:
        address.remove(self._settings.data_dir)
        for names in STOP_ORDER:
            stopping = [self._children[name] for name in names if name in self._children]
            for child in stopping:
                child.ask_to_stop()
            for child in stopping:
                child.stop(timeout_seconds=STOP_SECONDS[child.name], in_order=lambda: self._signals < 2)
        self._release_jobs("shutdown")
        self._database.close()

    def _release_jobs(self, reason: Literal["crash", "shutdown"]) -> None:
        """Give back what the workers of this node hold; only called when none of them is alive."""
        try:
            with self._database.write() as connection:
                released = jobs.release_node(connection, node=self._settings.node, reason=reason)
                workers.forget_node(connection, self._settings.node)
        except errors.DatabaseUnavailable:
            log.warning("The database is away; the leases run out by themselves.", event_name="up.not_released")
            return
        if released:
            log.warning(
                "Workers ended with jobs in hand; the jobs are tried again.",
                event_name="up.released",
                reason=reason,
                job_ids=released,
            )


def node_of(data_dir: Path) -> str:
    """Return the node name of a data folder: the same on every start, so the next one knows what it may release."""
    return f"{socket.gethostname()}-{hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:8]}"


def _free_port(settings: Settings) -> int:
    with socket.create_server((settings.host, 0), family=_family(settings.host)) as probe:
        return int(probe.getsockname()[1])


def _check_port(settings: Settings) -> None:
    try:
        socket.create_server((settings.host, settings.port), family=_family(settings.host)).close()
    except OSError as error:
        raise errors.InvalidConfiguration(
            f"Cannot listen on {settings.host} port {settings.port}: {error.strerror}. Choose another with --port."
        ) from error


def _api_answers(settings: Settings) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
