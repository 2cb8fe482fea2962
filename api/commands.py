"""The sub-commands `api` and `submit`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, get_args

import click

from api.client import results
from api.client.http import Client
from api.client.server_option import with_server
from api.formats import table
from shared import errors, keys, options
from shared.jobs.record import State
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

    settings = Settings.load()
    logs.set_up(settings)
    spans.is_wanted(settings)
    database = Database(settings.database, pool_size=1)
    check_schema(database)
    settings.check_bind(has_keys=keys.any_exists(database))
    database.close()
    Server(settings).run()


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_server
@click.option("--layout", type=click.Choice(sorted(options.LAYOUTS)), default=options.DEFAULT_LAYOUT, show_default=True)
@click.option("--charset", type=click.Choice(options.CHARSETS), default=options.DEFAULT_CHARSET, show_default=True)
@click.option("--pages", help="Which pages to read, such as 1-3,7; left out: all.")
@click.option(
    "--text-layer",
    type=click.Choice(get_args(options.TextLayerName)),
    default=options.DEFAULT_TEXT_LAYER,
    show_default=True,
    help="Whether pages of a PDF may be taken from their own text.",
)
@click.option(
    "--quality", type=click.Choice(options.QUALITIES), help="Who reads.  [default: what the server is set to]"
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the text, or print the ids at once.")
@click.option("--format", "form", type=click.Choice(table.NAMES), default="text", show_default=True)
@click.option(
    "--output", type=click.Path(file_okay=False, path_type=Path), help="Put a file for each into this folder."
)
@click.option("--keep-layout", is_flag=True, help="With --format text: keep columns and indentation by spaces.")
@click.option("--pdfa", is_flag=True, help="With --format pdf: make it PDF/A-2b.")
def submit(
    client: Client,
    files: tuple[Path, ...],
    *,
    wait: bool,
    form: str,
    output: Path | None,
    keep_layout: bool,
    pdfa: bool,
    **chosen: str | None,
) -> None:
    """Send images and PDFs to a server and print their text, or what else --format names.

    Of text and json the job is printed, of other formats the file itself; one that is no text needs --output.
    """
    wanted = results.Wanted.of(form, output=output, keep_layout=keep_layout, pdfa=pdfa)
    options_sent = {name: value for name, value in chosen.items() if value is not None}
    if wanted.is_fetched and not wait:
        raise click.UsageError("Without waiting there is no result yet. Leave out --no-wait, or --format and --output.")
    sent = []
    for file in files:
        try:
            sent.append(client.submit(file, options_sent, 0))
        except errors.OcrelayError as error:  # the other files have nothing to do with it
            sent.append({"id": "-", "state": State.FAILED, "result": None, "error": {"message": error.message}})
    with click.progressbar(sent, label="reading", file=sys.stderr, hidden=not (wait and sys.stderr.isatty())) as rows:
        done = [client.finished(job) if wait else job for job in rows]
    for file, job in zip(files, done, strict=True):
        if wanted.is_fetched and job["result"] is not None:
            results.fetch(client, results.name_of(file, files), job, wanted)
        else:
            click.echo(rendered(file, job, form))
    sys.exit(1 if any(job["state"] in (State.FAILED, State.CANCELLED) for job in done) else 0)


def rendered(file: Path, job: dict[str, Any], form: str) -> str:
    """One job on the terminal."""
    if form == "json":
        return json.dumps(job, ensure_ascii=False)
    if job["result"] is not None:
        return f"== {file} ({confidence(job['result']['confidence'])})\n{job['result']['text']}"
    return f"== {file}: {job['state']} {job['id']} {(job['error'] or {}).get('message', '')}".rstrip()


def confidence(value: float | None) -> str:
    """A confidence for reading."""
    return "no text" if value is None else f"confidence {value:.3f}"


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def demo(folder: Path) -> None:
    """Start everything for a moment, read the images of FOLDER through the real queue, show what came out."""
    from api.client.demo import run

    run(folder)
