"""Connections to SQLite or PostgreSQL, and the database's own clock."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, Engine, Float, Row, bindparam, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from shared import errors
from shared.tables import UtcDateTime

AnyRow: TypeAlias = "Row[*tuple[Any, ...]]"

driver: ModuleType = sqlite3
"""The SQLite in the wheel `pysqlite3` where it is installed, else the one that Python links, which is often too old for
WAL (see `wal_is_safe`)."""
try:
    from pysqlite3 import dbapi2
except ImportError:  # there is no wheel for this platform
    pass
else:
    driver = dbapi2

SQLITE_VERSION: tuple[int, int, int] = driver.sqlite_version_info

LOCK_WAIT_SECONDS = 30
"""How long a write waits for another writer before it fails as DatabaseUnavailable."""
PREPARED_AFTER = 5
"""A statement that a connection to PostgreSQL has executed so often is parsed no more, and seldom planned."""


class Database:
    """One database, SQLite or PostgreSQL, as one process sees it. Threads may share it; processes may not."""

    def __init__(self, url: str, *, pool_size: int = 5) -> None:
        """Prepare the connections; nothing is opened yet.

        Args:
            url: ``sqlite:///FILE`` or ``postgresql://USER:PASSWORD@HOST/NAME``.
            pool_size: Most connections at once (readers, for SQLite; there is always one writer).

        Raises:
            InvalidConfiguration: Another database, an unreadable URL, or SQLite without a file.
        """
        self.url = _checked(url)
        if self.is_sqlite:
            self._writer = _sqlite_engine(self.url, begin="BEGIN IMMEDIATE", read_only=False, pool_size=1)
            self._reader = _sqlite_engine(self.url, begin="BEGIN", read_only=True, pool_size=pool_size)
        else:
            self._writer = self._reader = _postgres_engine(self.url, pool_size)
        self._unsynced = self._writer.execution_options(is_synced=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is a SQLite file."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def write(self, *, is_synced: bool = True) -> Iterator[Connection]:
        """Yield a connection inside one write transaction: committed at the end, rolled back on any exception.

        SQLite starts it with BEGIN IMMEDIATE; a transaction that reads first and writes later would fail as locked.

        Args:
            is_synced: It is on the disk at the end. Else a loss of power within the next moment may undo it, as a whole
                and with nothing that came before; it is on the disk as soon as any later one is.

        Raises:
            DatabaseUnavailable: The server is away, or the file stayed locked. The caller decides about a retry.
        """
        with _translated(), (self._writer if is_synced else self._unsynced).begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading only. Keep it short; a long read delays every writer of a SQLite file.

        Raises:
            DatabaseUnavailable: The server is away, or the file stayed locked.
        """
        with _translated(), self._reader.connect() as connection:
            yield connection
            if not self.is_sqlite:  # at a rollback psycopg would forget what the server keeps prepared
                with suppress(exc.OperationalError, exc.InterfaceError):  # what was read was read
                    connection.commit()

    def choose_journal_mode(self) -> None:
        """Set WAL where the linked SQLite has the repair, else DELETE; a file keeps its mode. PostgreSQL: nothing.

        Raises:
            DatabaseUnavailable: Somebody else has the file open in the other mode.
        """
        if not self.is_sqlite:
            return
        with _translated(), self._writer.connect() as connection:
            raw = connection.connection.driver_connection  # without SQLAlchemy's BEGIN: inside, the mode cannot change
            assert raw is not None
            try:
                raw.execute(f"PRAGMA journal_mode = {journal_mode()}")
            except driver.OperationalError as error:
                raise errors.DatabaseUnavailable(reason=str(error)) from error

    def close(self) -> None:
        """Close every idle connection."""
        self._writer.dispose()
        self._reader.dispose()


class database_now(FunctionElement[Any]):  # noqa: N801  (reads as the SQL function that it is)
    """The database's clock, moved by some seconds: ``database_now(30)`` is half a minute from now.

    Leases are compared in this clock only, so the clocks of the workers do not matter.
    It moves on inside a transaction.
    """

    inherit_cache = True
    name = "database_now"
    type = UtcDateTime()

    def __init__(self, offset_seconds: float | BindParameter[float] = 0) -> None:
        given = isinstance(offset_seconds, BindParameter)
        super().__init__(offset_seconds if given else bindparam(None, float(offset_seconds), type_=Float(53)))


def seconds(name: str) -> BindParameter[float]:
    """A number of seconds that a statement is given by this name each time that it is executed."""
    return bindparam(name, type_=Float(53))


@compiles(database_now, "sqlite")
def _sqlite_now(element: database_now, compiler: Any, **options: Any) -> str:
    offset = compiler.process(element.clauses, **options)
    return f"strftime('%Y-%m-%d %H:%M:%f', 'now', {offset} || ' seconds')"


@compiles(database_now, "postgresql")
def _postgres_now(element: database_now, compiler: Any, **options: Any) -> str:
    offset = compiler.process(element.clauses, **options)
    return f"clock_timestamp() + make_interval(secs => {offset})"


def require(url: str) -> None:
    """Refuse to go on where there is no database yet: a command in passing must not make one.

    Raises:
        InvalidConfiguration: The SQLite file is not there, or the URL is none.
    """
    found = _checked(url)
    if found.get_backend_name() == "sqlite" and not Path(str(found.database)).is_file():
        raise errors.InvalidConfiguration(
            f"There is no database {found.database}, and this command makes none. Name the data folder of the server "
            "with --data, as you did with `ocrelay up`; a new folder gets its database from `ocrelay up`, or "
            "from `ocrelay migrate --create`."
        )


def wal_is_safe(version: tuple[int, int, int] = SQLITE_VERSION) -> bool:
    """Return whether this SQLite has the repair of the WAL-reset bug, which can corrupt a database in WAL mode.

    Source: sqlite.org, changes of 3.51.3; back-ported to 3.50.7 and 3.44.6.
    """
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)


def journal_mode() -> str:
    """Return the journal mode for the linked SQLite: WAL where it is safe, else DELETE."""
    return "WAL" if wal_is_safe() else "DELETE"


def _checked(url: str) -> URL:
    try:
        parsed = make_url(url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url)
    except exc.ArgumentError:
        raise errors.InvalidConfiguration(
            "OCRELAY_DATABASE_URL is not a URL. Write sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME."
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite+pysqlite")
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise errors.InvalidConfiguration(
        f"OCRELAY_DATABASE_URL names {parsed.render_as_string()!r}. "
        "Only SQLite files (sqlite:///FILE) and PostgreSQL (postgresql://…) are supported; choose one of them."
    )


def _sqlite_engine(url: URL, *, begin: str, read_only: bool, pool_size: int) -> Engine:
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(
        url,
        module=driver,
        connect_args={"timeout": LOCK_WAIT_SECONDS, "check_same_thread": False},
        json_serializer=_to_json,
        hide_parameters=True,  # they hold texts and secrets, and errors are logged
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=LOCK_WAIT_SECONDS,
    )

    @event.listens_for(engine, "do_connect")
    def make_private(*_: object) -> None:
        """SQLite would let everybody read a file that it makes; those beside it get the same mode.

        A file that is there is not opened: closing it would take the locks of all connections of this process away, and
        another process that ends its own would remove the journal under them. Source: sqlite.org/howtocorrupt.html.
        """
        with suppress(OSError):  # it is there; of anything else SQLite says better what is wrong
            os.close(os.open(str(url.database), os.O_RDONLY | os.O_CREAT | os.O_EXCL, 0o600))

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # else the driver begins by itself, with the wrong kind of transaction
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA query_only = {int(read_only)}")
        record.info.update(is_wal=connection.execute("PRAGMA journal_mode").fetchone() == ("wal",), is_synced=True)

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        """By the driver itself: through SQLAlchemy, beginning costs as much as a small statement."""
        raw = connection.connection.driver_connection
        assert raw is not None
        is_synced = connection.get_execution_options().get("is_synced", True) or not connection.info["is_wal"]
        try:
            if is_synced != connection.info["is_synced"]:
                raw.execute(f"PRAGMA synchronous = {'FULL' if is_synced else 'NORMAL'}")
                connection.info["is_synced"] = is_synced
            raw.execute(begin)
        except driver.OperationalError as error:
            raise exc.OperationalError(begin, None, error) from error

    return engine


def _postgres_engine(url: URL, pool_size: int) -> Engine:
    try:
        engine = create_engine(
            url,
            connect_args={
                "connect_timeout": 5,
                "prepare_threshold": None,  # until it is known who serves, see below
                "tcp_user_timeout": 15_000,  # ms; a server that fell silent must not hold a thread for ever
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
            },
            json_serializer=_to_json,
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
        )
    except ModuleNotFoundError as error:
        raise errors.InvalidConfiguration(
            "OCRELAY_DATABASE_URL names PostgreSQL, but its driver is missing. Install ocrelay[postgres]."
        ) from error

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _: object) -> None:
        """Let the server keep statements that come again, where it is the server: one behind a pooler may be another
        for each transaction, and older poolers do not know who has prepared what."""
        with connection.transaction(), connection.cursor() as cursor:
            (served_by,) = cursor.execute("SELECT pg_backend_pid()").fetchone()
        if served_by == connection.info.backend_pid:
            connection.prepare_threshold = PREPARED_AFTER

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        if not connection.get_execution_options().get("is_synced", True):
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")

    return engine


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.TimeoutError) as error:
        cause = getattr(error, "orig", error)
        kind = errors.StorageFull if _says_full(cause) else errors.DatabaseUnavailable
        raise kind(reason=str(cause).splitlines()[0]) from error


def _says_full(cause: Any) -> bool:
    """Whether the database means its disk: SQLITE_FULL, or PostgreSQL's state ``disk_full``."""
    sqlite_says_so = getattr(cause, "sqlite_errorname", None) == "SQLITE_FULL" or "disk is full" in str(cause)
    return sqlite_says_so or getattr(cause, "sqlstate", None) == "53100"
