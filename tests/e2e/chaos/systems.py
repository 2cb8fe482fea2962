"""The two systems that are harmed: everything embedded from one `ocrelay up`, and a fleet on PostgreSQL and Redis."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import redis

from shared.database import Database
from shared.migrations import migrate
from shared.settings import Settings
from tests.ports import free_port
from tests.services import BrokerServer, Postgres, Process, broker_program, postgres_server

POISON = Path(__file__).parent / "poison"
"""Beginning of the path of modules of every process of a system; see its `sitecustomize`."""
DISK_BYTES = 16 * 1024 * 1024
LEASE_SECONDS = 6
PROGRAM = re.compile(r"shared\.cli (?:--lifeline \d+ )?(api|worker|sweeper|up)\b|^\S*(?:valkey|redis)-(server)\b")


class System(Protocol):
    """What a storm needs to know of a system."""

    name: str
    settings: Settings
    harms: dict[str, Callable[[], bool]]
    """By name; each does its harm, and says whether there was something to harm."""

    def urls(self) -> list[str]:
        """Where clients reach it."""

    def tend(self) -> None:
        """Start again what has died, as the operator's own supervisor does."""


def processes(roots: list[int]) -> dict[str, list[int]]:
    """Return process ids below the roots by their parts: `worker`, and `worker child`, which has a worker above it."""
    found = subprocess.run(["ps", "-e", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    rows = {
        int(pid): (int(parent), args) for pid, parent, args in (r.split(None, 2) for r in found.stdout.splitlines())
    }

    def part(pid: int) -> str | None:
        match = PROGRAM.search(rows[pid][1]) if pid in rows else None
        return None if match is None else match[1] or "broker"

    def is_below(pid: int) -> bool:
        while pid in rows and pid not in roots:
            pid = rows[pid][0]
        return pid in roots

    parts: dict[str, list[int]] = {}
    for pid, (parent, _) in rows.items():
        name = part(pid)
        if name is not None and is_below(pid):
            parts.setdefault(f"{name} child" if part(parent) == name else name, []).append(pid)
    return parts


def killing(part: str, roots: Callable[[], list[int]], choose: Callable[[list[int]], int]) -> Callable[[], bool]:
    """The harm that kills one process of a part with -9."""

    def kill() -> bool:
        found = sorted(processes(roots()).get(part, []))
        if not found:
            return False
        with suppress(ProcessLookupError):
            os.kill(choose(found), signal.SIGKILL)
            return True
        return False

    return kill


def flushing(socket: Path) -> Callable[[], bool]:
    """The harm that makes the broker forget all it has."""

    def flush() -> bool:
        client = redis.Redis(unix_socket_path=str(socket), socket_timeout=2)
        with suppress(redis.RedisError, OSError):
            return bool(client.flushall())
        return False

    return flush


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A disk of its own for the uploads, small enough to be filled; False where this user may not mount one."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    is_mounted = subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill the disk of a folder to the last byte; return what to delete."""
    ballast = folder / ".ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return ballast


def _settings(folder: Path, model: Path, **more: object) -> Settings:
    return Settings.load(
        data_dir=folder / "data", model=str(model), api_processes=1, lease_seconds=LEASE_SECONDS,
        webhook_allowed_networks="127.0.0.1", webhook_timeout_seconds=2, line_finder="classical", **more,
    )  # fmt: skip


class Embedded:
    """SQLite and the embedded broker, below one `ocrelay up`."""

    name = "SQLite and the embedded broker"

    def __init__(self, folder: Path, model: Path, choose: Callable[[list[int]], int]) -> None:
        self._folder = folder
        self._started = 0
        self.settings = _settings(folder, model, port=free_port(), workers=2)
        self._up = self._start()

        def roots() -> list[int]:
            return [self._up.pid]

        parts = ("worker", "worker child", "api", "api child", "sweeper", "broker")
        self.harms = {part: killing(part, roots, choose) for part in parts}
        self.harms["up"] = self._kill_up
        self.harms["broker flushed"] = flushing(self.settings.data_dir / "broker" / "broker.sock")

    def _start(self) -> Process:
        self._started += 1
        output = self._folder / f"up-{self._started}.log"
        return Process(self.settings, "up", output=output, python_path=[POISON])

    def _kill_up(self) -> bool:
        """`up` itself, and nothing else; its children notice, and the next one goes on."""
        if self._up.status is not None:
            return False
        self._up.signal(signal.SIGKILL)
        self._up.wait()
        return True

    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{self.settings.port}"]

    def tend(self) -> None:
        if self._up.status is not None:
            self._up = self._start()

    def end(self) -> None:
        self._up.end()


class Fleet:
    """Two APIs, two workers and two sweepers on PostgreSQL and redis-server, each started again when it dies."""

    name = "PostgreSQL and redis-server"

    def __init__(
        self,
        folder: Path,
        model: Path,
        choose: Callable[[list[int]], int],
        *,
        postgres: Postgres,
        broker: BrokerServer,
        database_url: str,
    ) -> None:
        self._folder = folder
        self._postgres = postgres
        self._broker = broker
        self.settings = _settings(folder, model, database_url=database_url, redis_url=broker.url, workers=1)
        self._ports = [free_port(), free_port()]
        self._parts = {f"api-{port}": ("api", {"port": port}) for port in self._ports}
        self._parts |= {f"worker-{n}": ("worker", {"node": f"node-{n}"}) for n in (1, 2)}
        self._parts |= {f"sweeper-{n}": ("sweeper", {"node": f"sweeper-{n}"}) for n in (1, 2)}
        self._running = {name: self._start(name) for name in self._parts}

        def roots() -> list[int]:
            return [process.pid for process in self._running.values()]

        parts = ("worker", "worker child", "api", "api child", "sweeper")
        self.harms = {part: killing(part, roots, choose) for part in parts}
        self.harms["broker"] = self._kill_broker
        self.harms["broker flushed"] = flushing(broker.socket)
        if postgres.can_restart:
            self.harms["PostgreSQL restarted"] = self._restart_postgres

    def _start(self, name: str) -> Process:
        part, changed = self._parts[name]
        settings = self.settings.model_copy(update=changed)
        return Process(settings, part, output=self._folder / f"{name}.log", python_path=[POISON])

    def _kill_broker(self) -> bool:
        self._broker.kill()
        self._broker.start()
        return True

    def _restart_postgres(self) -> bool:
        self._postgres.restart()
        return True

    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self._ports]

    def tend(self) -> None:
        for name, process in self._running.items():
            if process.status is not None:
                process.end()  # what it left behind goes with it, as in a container
                self._running[name] = self._start(name)

    def end(self) -> None:
        for process in self._running.values():
            process.end()


@contextmanager
def embedded(folder: Path, model: Path, choose: Callable[[list[int]], int]) -> Iterator[Embedded]:
    """A system from one `ocrelay up`, stopped in the end."""
    system = Embedded(folder, model, choose)
    try:
        yield system
    finally:
        system.end()


@contextmanager
def fleet(folder: Path, model: Path, choose: Callable[[list[int]], int]) -> Iterator[Fleet]:
    """A fleet with servers of its own, all stopped in the end."""
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server(durable=True))
        url = postgres.new_database()
        stack.callback(postgres.drop_database, url)
        database = Database(url)
        migrate(database)
        database.close()
        broker = BrokerServer(broker_program("redis-server"), folder / "redis")
        broker.start()
        stack.callback(broker.kill)
        system = Fleet(folder, model, choose, postgres=postgres, broker=broker, database_url=url)
        stack.callback(system.end)
        yield system
