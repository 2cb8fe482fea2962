"""Migrations of the database, run by Alembic through ``migrate`` and ``ocrelay migrate``."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from shared import errors
from shared.database import Database, journal_mode

_POSTGRES_LOCK = 0x6F63_7265


def migrate(database: Database) -> None:
    """Bring the database to the schema of this version. Any number of processes may do it at once.

    Raises:
        DatabaseUnavailable: The server is away, or another process kept the SQLite file locked.
    """
    if database.is_sqlite:
        _set_journal_mode(database)
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRES_LOCK})
        command.upgrade(_config(connection), "head")


def check_schema(database: Database) -> None:
    """Refuse to work on a database that was not migrated to this version.

    Raises:
        InvalidConfiguration: The schema is older or newer than this program.
        DatabaseUnavailable: The server is away.
    """
    with database.read() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    wanted = ScriptDirectory.from_config(_config(None)).get_current_head()
    if found != wanted:
        raise errors.InvalidConfiguration(
            f"The database has schema {found or 'none'}, this version of ocrelay needs {wanted}. Run `ocrelay migrate`."
        )


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _set_journal_mode(database: Database) -> None:
    """WAL where the linked SQLite has the repair; else back to DELETE, since a file keeps its mode for ever."""
    with database.read() as connection:
        raw = connection.connection.driver_connection  # without SQLAlchemy's BEGIN: inside, the mode cannot change
        assert isinstance(raw, sqlite3.Connection)
        try:
            raw.execute(f"PRAGMA journal_mode = {journal_mode()}")
        except sqlite3.OperationalError as error:
            raise errors.DatabaseUnavailable(reason=str(error)) from error
