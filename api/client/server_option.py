"""Which server a command asks, and with which key: `--server`, `--key` and what stands in for them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from api.client import config_file
from api.client.http import Client, checked
from api.client.refusal import Away
from shared.data_option import of_data
from shared.settings import Settings
from shared.up import address

Command = Callable[..., None]
DEFAULT_SERVER = "http://127.0.0.1:8000"


def with_server(command: Command) -> Command:
    """Give a command the options, and a client of that server as its first argument.

    Where `--key` is an option of the command itself, only the longer name is left.
    """
    taken = {name for option in getattr(command, "__click_params__", ()) for name in option.opts}
    names = ("--api-key",) if "--key" in taken else ("--key", "--api-key")

    @click.option(
        "--server",
        help="URL of the ocrelay server.  [default: OCRELAY_SERVER, else that of `ocrelay login`, else the one that "
        f"`ocrelay up` runs on the data folder, else {DEFAULT_SERVER}]",
    )
    @click.option(
        "--data", "data_dir", type=click.Path(path_type=Path), help="Ask the server that runs on this data folder."
    )
    @click.option(*names, "api_key", help="API key; better in OCRELAY_API_KEY, where no list of processes shows it.")
    @functools.wraps(command)
    def call(server: str | None, data_dir: Path | None, api_key: str | None, **options: Any) -> None:
        command(client_of(server, data_dir, api_key), **options)

    return call


def client_of(server: str | None, data_dir: Path | None, key: str | None) -> Client:
    """The client of the server that is meant.

    A key of the configuration file goes to the server beside it in that file, and to no other.

    Raises:
        UsageError: The server is no URL, or both a server and a data folder are given.
        InvalidConfiguration: The configuration file cannot be used.
    """
    if server is not None and data_dir is not None:
        raise click.UsageError("--server and --data both say whom to ask. Give one of them.")
    settings = of_data(data_dir)
    login = config_file.read(config_file.path())
    url = checked(server_of(server, data_dir, settings, login))
    kept = login.key if login is not None and checked(login.server) == url else ""
    return Client(url, key or settings.api_key or kept)


class NothingRuns(click.UsageError):
    """The data folder that was named has no server; for a program that is one that is away."""

    exit_code = Away.exit_code


def server_of(server: str | None, data_dir: Path | None, settings: Settings, login: config_file.Login | None) -> str:
    """The URL as it was given, the nearest first.

    Raises:
        NothingRuns: A data folder is named on which nothing runs.
    """
    if data_dir is not None:
        found = address.read(settings.data_dir)
        if found is None:
            raise NothingRuns(f"No `ocrelay up` runs on {settings.data_dir}. Start it, or name a --server.")
        return found
    kept = login.server if login is not None else None
    return server or settings.server or kept or address.read(settings.data_dir) or DEFAULT_SERVER
