"""The options `--server` and `--api-key` of every command that talks to a server."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from api.client.http import Client
from shared.settings import Settings

Command = Callable[..., None]


def with_server(command: Command) -> Command:
    """Give a command the options, and a client of that server as its first argument."""

    @click.option("--server", default="http://127.0.0.1:8000", show_default=True, help="URL of the ocrelay server.")
    @click.option("--api-key", help="API key; better in OCRELAY_API_KEY, where no list of processes shows it.")
    @functools.wraps(command)
    def call(server: str, api_key: str | None, **options: Any) -> None:
        command(Client(server, api_key or Settings.load().api_key), **options)

    return call
