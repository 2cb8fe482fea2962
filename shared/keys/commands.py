"""The sub-commands of `ocrelay keys`. They work on the database itself: who may read that needs no key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from shared import clock, errors
from shared import keys as api_keys
from shared.audit.actor import OPERATOR
from shared.clock import timestamp
from shared.data_option import DATA, of_data
from shared.database import Database, require
from shared.keys.record import NAME_RULE, ApiKey, Scope, is_name
from shared.migrations import check_schema
from shared.private import keep_private

DAY_SECONDS = 86_400


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke API keys. As soon as there is one, every client needs one."""


@keys.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice([str(scope) for scope in Scope]))
@click.option("--days", type=click.FloatRange(0, min_open=True), help="Days until it expires.  [default: never]")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@DATA
def create(name: str, scopes: tuple[str, ...], days: float | None, data_dir: Path | None, as_json: bool) -> None:
    """Make a key called NAME, and print it: this once, for only its SHA-256 is kept."""
    if not is_name(name):
        raise click.UsageError(f"NAME must be {NAME_RULE}.")
    lifetime_seconds = None if days is None else days * DAY_SECONDS
    with opened(data_dir) as database, database.write() as connection:
        key, text = api_keys.create(
            connection,
            name=name,
            scopes={Scope(scope) for scope in scopes},
            lifetime_seconds=lifetime_seconds,
            actor=OPERATOR,
        )
    show_once(key, text, as_json=as_json)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@DATA
def list_keys(as_json: bool, data_dir: Path | None) -> None:
    """All keys, the oldest first, one a line; never their secrets."""
    with opened(data_dir) as database, database.read() as connection:
        found = api_keys.list_keys(connection)
    for key in found:
        document = key_document(key)
        if as_json:
            click.echo(json.dumps(document, ensure_ascii=False))
        else:
            used = document["last_used_at"] or "never"
            click.echo(f"{key.id}  {document['state']}  {','.join(document['scopes'])}  used {used}  {key.name}")


@keys.command()
@click.argument("key_id")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@DATA
def revoke(key_id: str, data_dir: Path | None, as_json: bool) -> None:
    """End the key KEY_ID for good. Every server refuses it within two seconds."""
    with opened(data_dir) as database, database.write() as connection:
        key = api_keys.revoke(connection, key_id, actor=OPERATOR)
    if key is None:
        raise errors.KeyNotFound(key_id=key_id[:64])
    click.echo(json.dumps(key_document(key), ensure_ascii=False) if as_json else f"{key.id}  revoked  {key.name}")


@keys.command()
@click.argument("key_id")
@click.option(
    "--grace-hours", type=click.FloatRange(0), default=0.0, show_default=True, help="So long the old one stays good."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@DATA
def rotate(key_id: str, grace_hours: float, data_dir: Path | None, as_json: bool) -> None:
    """Give the key KEY_ID a new secret, and print the whole key: this once. Its id, scopes and jobs stay."""
    with opened(data_dir) as database, database.write() as connection:
        rotated = api_keys.rotate(connection, key_id, grace_seconds=grace_hours * 3600, actor=OPERATOR)
    if rotated is None:
        raise errors.KeyNotFound(key_id=key_id[:64])
    show_once(*rotated, as_json=as_json)


@contextmanager
def opened(data_dir: Path | None) -> Iterator[Database]:
    """The database that the settings name, which must be there; raises InvalidConfiguration."""
    settings = of_data(data_dir)
    require(settings.database)
    keep_private()
    database = Database(settings.database, pool_size=1)
    click.echo(f"Database: {database.url.render_as_string()}", err=True)
    try:
        check_schema(database)
        yield database
    finally:
        database.close()


def show_once(key: ApiKey, text: str, *, as_json: bool) -> None:
    """The key itself on standard output, for a pipe; what it is beside it."""
    if as_json:
        click.echo(json.dumps(key_document(key) | {"key": text}, ensure_ascii=False))
        return
    click.echo(f"{key.id}  {','.join(sorted(key.scopes))}  {key.name}. This is shown once:", err=True)
    click.echo(text)


def key_document(key: ApiKey) -> dict[str, Any]:
    """A key as JSON-ready objects, without anything secret."""
    return {
        "id": key.id,
        "name": key.name,
        "state": state_of(key),
        "scopes": sorted(key.scopes),
        "created_at": timestamp(key.created_at),
        "expires_at": timestamp(key.expires_at),
        "revoked_at": timestamp(key.revoked_at),
        "last_used_at": timestamp(key.last_used_at),
    }


def state_of(key: ApiKey) -> str:
    """What a key is good for, by this machine's clock."""
    if key.revoked_at:
        return "revoked"
    return "expired" if key.expires_at and key.expires_at <= clock.now() else "good"
