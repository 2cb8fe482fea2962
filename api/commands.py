"""The sub-commands `api` and `demo`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shared import errors, keys
from shared.private import keep_private
from shared.settings import Settings
from shared.telemetry import logs, spans


@click.command()
def api() -> None:
    """Serve HTTP: take uploads, answer questions about jobs. SIGTERM ends it in order."""
    if sys.platform == "win32":
        raise errors.InvalidConfiguration("`ocrelay api` needs Linux or macOS. Run it in WSL or in a container.")
    from api.server.gunicorn import Server
    from shared.database import Database
    from shared.migrations import check_schema

    keep_private()
    settings = Settings.load()
    logs.set_up(settings)
    spans.is_wanted(settings)
    database = Database(settings.database, pool_size=1)
    check_schema(database)
    settings.check_bind(has_keys=keys.any_exists(database))
    database.close()
    Server(settings).run()


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def demo(folder: Path) -> None:
    """Start everything for a moment, read the images of FOLDER through the real queue, show what came out."""
    from api.client.demo import run

    run(folder)
