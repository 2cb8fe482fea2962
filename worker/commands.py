"""The sub-commands ``worker``, ``sweeper`` and ``doctor``."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import sys
from pathlib import Path

import click

from shared import clock, errors, queue, workers
from shared.data_option import DATA, of_data
from shared.database import Database
from shared.migrations import check_schema
from shared.private import keep_private
from shared.settings import Settings
from shared.telemetry import logs, spans
from shared.up import broker
from shared.uploads.store import open_uploads
from shared.webhooks.box import Box, seal_all

SILENT_SECONDS = 60
"""A sweeper that did no round for so long hangs; a slow database alone delays one by half of it."""


@click.command()
@click.option("--check", is_flag=True, help="Only say whether a worker child of this host was heard of lately.")
def worker(check: bool) -> None:
    """Take jobs and read them. SIGTERM finishes the jobs in hand first."""
    from worker import app as composition

    if check:
        _check_children(Settings.load())
        return
    keep_private()
    settings = _settings_of_node()
    logs.set_up(settings)
    spans.is_wanted(settings)
    app = composition.create(settings)
    try:
        app.worker_main(composition.arguments(settings))
    finally:  # a child that was cut off in its end could not take itself off the list
        _forget_children(settings)


def _forget_children(settings: Settings) -> None:
    """Take the children of this worker off the list of the living: all of them have ended."""
    database = Database(settings.database, pool_size=1)
    with contextlib.suppress(errors.DatabaseUnavailable), database.write() as connection:
        workers.forget_node(connection, settings.node_name)
    database.close()


def _check_children(settings: Settings) -> None:
    """What the health check of a container asks; raises NoLiveWorker."""
    database = Database(settings.database, pool_size=1)
    with database.read() as connection:
        children = [child for child in workers.live_children(connection) if child.host == socket.gethostname()]
    database.close()
    if not children:
        raise errors.NoLiveWorker()
    click.echo(f"{len(children)} worker children of this host take jobs.")


@click.command()
@click.option("--check", is_flag=True, help="Only say whether a sweeper of this host did a round lately.")
def sweeper(check: bool) -> None:
    """Take back what silent workers held, publish what has no message, deliver webhooks. Any number may run."""
    from worker.sweep.sweeper import Sweeper
    from worker.sweep.tally import Tally
    from worker.sweep.tidy import Ages, Tidy
    from worker.webhooks.deliverer import Deliverer

    settings = Settings.load()
    sign_of_life = settings.data_dir / f"sweeper-{socket.gethostname()}"
    if check:
        _check_sweeper(sign_of_life)
        return
    keep_private()
    logs.set_up(settings)
    database = Database(settings.database, pool_size=1)
    check_schema(database)
    with database.write() as connection:
        seal_all(connection, Box.of(settings))
    app = queue.create_app(settings, broker.url_of(settings), role="client")
    in_between = (Tally(database), Tidy(database, open_uploads(settings), Ages.of(settings)))

    def tidy() -> None:
        for do in in_between:
            do()

    sweeping = Sweeper(
        database,
        app,
        pause_seconds=settings.sweep_seconds,
        stranded_seconds=settings.stranded_seconds,
        priority_wait_seconds=settings.priority_wait_seconds,
        tidy=tidy,
    )
    delivering = Deliverer(Database(settings.database, pool_size=2), settings)

    def stop(*_: object) -> None:
        sweeping.stop()
        delivering.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    thread = delivering.start()
    sweeping.run(after_round=sign_of_life.touch)
    delivering.stop()
    thread.join()
    sign_of_life.unlink(missing_ok=True)
    database.close()


def _check_sweeper(sign_of_life: Path) -> None:
    """What the health check of a container asks; raises NoLiveSweeper."""
    try:
        age_seconds = clock.now().timestamp() - sign_of_life.stat().st_mtime
    except FileNotFoundError:
        raise errors.NoLiveSweeper() from None
    if age_seconds > SILENT_SECONDS:
        raise errors.NoLiveSweeper(reason=f"the last round was {age_seconds:.0f} s ago")
    click.echo("The sweeper sweeps.")


@click.command()
@DATA
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def doctor(data_dir: Path | None, as_json: bool) -> None:
    """Check what ocrelay needs on this machine; each finding names its fix."""
    from worker import doctor as checks

    findings = checks.examine(of_data(data_dir))
    for finding in findings:
        if as_json:
            click.echo(json.dumps(vars(finding), ensure_ascii=False))
            continue
        click.echo(f"{'ok  ' if finding.is_good else 'FAIL'}  {finding.subject}: {finding.says}")
        if not finding.is_good:
            click.echo(f"      Fix: {finding.fix}")
    sys.exit(0 if all(finding.is_good for finding in findings) else 1)


def _settings_of_node() -> Settings:
    """Settle the node's name in the main process, so that all children claim under the same one."""
    settings = Settings.load()
    return settings.export(node=settings.node_name)
