"""The sub-commands ``up`` and ``migrate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from shared import errors
from shared.data_option import DATA, of_data
from shared.database import Database, require
from shared.migrations import migrate as migrate_database
from shared.private import keep_private
from shared.settings import Settings
from shared.telemetry import logs


@click.command()
@DATA
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0: any free one.  [default: 8000]")
@click.option("--workers", type=click.IntRange(0), help="Worker children; 0: one for each core.  [default: 0]")
def up(**options: Any) -> None:
    """Run everything on this machine, in the foreground: broker, API, workers, sweeper.

    Prints `ready http://HOST:PORT` when a job can be taken. Ctrl-C stops it in order.
    """
    if sys.platform == "win32":
        raise errors.InvalidConfiguration("`ocrelay up` needs Linux or macOS. Run it in WSL or in a container.")
    from shared.up.supervisor import Supervisor

    settings = Settings.load(**{name: value for name, value in options.items() if value is not None})
    logs.set_up(settings)
    keep_private()
    Supervisor(settings).run()


@click.command()
@DATA
@click.option("--create", is_flag=True, help="Make the SQLite file where there is none yet.")
def migrate(data_dir: Path | None, create: bool) -> None:
    """Bring the database to the schema of this version."""
    settings = of_data(data_dir)
    logs.set_up(settings)
    if not create:
        require(settings.database)
    keep_private()
    database = Database(settings.database)
    migrate_database(database)
    click.echo(f"The database {database.url.render_as_string()} is up to date.")
