"""`ocrelay models activate` and `rollback`: which model reads, in every worker of the fleet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

import models as recognisers
from models import ModelFileError
from models.recognizer import find
from shared import clock, registry, workers
from shared.audit.actor import OPERATOR
from shared.data_option import DATA
from shared.database import Database
from shared.migrations import check_schema
from shared.registry.record import Generation, Role, RolloutState
from shared.settings import Settings
from worker.models.noting import facts_of

ROLE = click.option(
    "--role", type=click.Choice([Role.RECOGNISER, Role.STRONGER]), default=Role.RECOGNISER, show_default=True
)
WAIT = click.option("--wait", is_flag=True, help="Show child by child how it is taken up, until it is or is held.")
LOOK_SECONDS = 0.5


@click.command()
@click.argument("name")
@ROLE
@WAIT
@DATA
def activate(name: str, role: str, *, wait: bool, data_dir: Path | None) -> None:
    """Let NAME read from now on, in every worker child; jobs in hand are finished with what they began with."""
    settings = _settings(data_dir)
    place = find(name, settings.models_folder)
    if place is None:
        raise click.ClickException(f"There is no model {name!r} here. `ocrelay models list` names those there are.")
    try:
        card = recognisers.Recognizer(place.path, place.name).card
    except ModelFileError as error:
        raise click.ClickException(str(error)) from error
    facts = facts_of(place, card)

    def order(database: Database) -> Generation | None:
        with database.write() as connection:
            registry.note(connection, **facts, actor=OPERATOR)
            model = registry.find(connection, card.name)
            assert model is not None
            return registry.activate(connection, model, Role(role), actor=OPERATOR)

    _carry_out(settings, order, wait=wait)


@click.command()
@ROLE
@WAIT
@DATA
def rollback(role: str, *, wait: bool, data_dir: Path | None) -> None:
    """Let read what read before; before the first `activate` that was what the settings name."""

    def order(database: Database) -> Generation | None:
        with database.write() as connection:
            return registry.roll_back(connection, Role(role), actor=OPERATOR)

    _carry_out(_settings(data_dir), order, wait=wait)


def _settings(data_dir: Path | None) -> Settings:
    return Settings.load(**({} if data_dir is None else {"data_dir": data_dir}))


def _carry_out(settings: Settings, order: Callable[[Database], Generation | None], *, wait: bool) -> None:
    database = Database(settings.database, pool_size=1)
    try:
        check_schema(database)
        generation = order(database)
        if generation is None:
            raise click.ClickException("No model was ever activated, so there is nothing to go back to.")
        click.echo(f"Generation {generation.number}: {generation.role} = {generation.model or 'as the settings say'}.")
        if wait:
            _follow(database, generation)
    finally:
        database.close()


def _follow(database: Database, generation: Generation) -> None:
    """Say of each child when it has taken a generation up; fails where it is held or another one came."""
    told: set[str] = set()
    while True:
        with database.read() as connection:
            now = registry.get(connection, generation.number)
            children = workers.live_children(connection)
            is_newest = registry.current(connection)[generation.role].number == generation.number
        if now.state is RolloutState.HELD:
            raise click.ClickException(f"Held, and everybody goes on with the model of before: {now.reason}")
        for child in children:
            if child.reader_sha256 is not None and child.id not in told:
                told.add(child.id)
                click.echo(f"{child.id}  {child.model} {child.model_version}")
        if now.state is RolloutState.SETTLED:
            return
        if not is_newest:
            raise click.ClickException("Another model was activated meanwhile.")
        if not children:
            click.echo("No worker lives; those that start will read with it.")
            return
        clock.sleep(LOOK_SECONDS)
