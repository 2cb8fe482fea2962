"""The sub-command `login`: keep the address of a server and the key for it."""

from __future__ import annotations

import json
import sys

import click

from api.client import config_file
from api.client.config_file import Login
from api.client.http import Client, checked
from api.client.refusal import Away


@click.command()
@click.argument("server")
@click.option(
    "--key",
    "--api-key",
    "key",
    help="API key; left out, it is asked for, or read from standard input if that is a pipe.",
)
@click.option("--no-key", is_flag=True, help="The server wants no key.")
@click.option("--json", "as_json", is_flag=True, help="Say it as a JSON object.")
def login(server: str, key: str | None, no_key: bool, as_json: bool) -> None:
    """Keep the URL SERVER and an API key for all later commands, in a file that you alone can read.

    The key is tried first; one that the server refuses is not kept.
    """
    if key is not None and no_key:
        raise click.UsageError("--key and --no-key are opposites. Give one of them.")
    url = checked(server)
    if key is None and not no_key:
        key = click.prompt("API key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()
    try:
        Client(url, key or "").get("/v1/jobs", limit=1)
        is_tried = True
    except Away:
        click.echo(f"{url} does not answer, so the key was not tried.", err=True)
        is_tried = False
    file = config_file.path()
    config_file.write(file, Login(url, key or ""))
    if as_json:
        click.echo(json.dumps({"server": url, "file": str(file), "has_key": bool(key), "is_tried": is_tried}))
    else:
        click.echo(f"Kept in {file}. Commands without --server ask {url} from now on.")
