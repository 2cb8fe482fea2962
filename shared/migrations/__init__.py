"""Migrations of the database, run by Alembic through ``migrate`` and ``ocrelay migrate``."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from shared import errors
from shared.database import Database

_POSTGRES_LOCK = 0x6F63_7265


def migrate(database: Database) -> None:
    """Bring the database to the schema of this version. Any number of processes may do it at once.

    Raises:
        DatabaseUnavailable: The server is away, or another process kept the SQLite file locked.
    """
    database.choose_journal_mode()
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
            f"The database {database.url.render_as_string()} has schema {found or 'none'}, this version of ocrelay "
            f"needs {wanted}. Run `ocrelay migrate{_where(database)}`."
        )


def _where(database: Database) -> str:
    """Which option leads the command to a SQLite file where it usually lies."""
    return f" --data {Path(str(database.url.database)).parent}" if database.is_sqlite else ""


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
