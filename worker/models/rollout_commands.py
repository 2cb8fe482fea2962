"""`ocrelay models activate` and `rollback`: which model reads, in every worker of the fleet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from models import ModelFileError
from shared import clock, errors, registry
from shared.audit.actor import OPERATOR
from shared.data_option import DATA
from shared.database import Database
from shared.registry.record import Generation, Role, RolloutState, Takeup, TakeupState
from shared.settings import Settings
from worker.models.telling import facts_on_hand, opened

ROLE = click.option(
    "--role", type=click.Choice([str(role) for role in Role]), default=str(Role.RECOGNISER), show_default=True
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
    settings = settings_of(data_dir)
    try:
        facts = facts_on_hand(settings, name)
    except ModelFileError as error:
        raise click.ClickException(str(error)) from error
    if facts["kind"] != Role(role).kind:
        raise click.ClickException(f"{name} is a {facts['kind']}, and the role {role} is for a {Role(role).kind}.")

    def order(database: Database) -> Generation:
        with database.write() as connection:
            registry.note(connection, **facts, actor=OPERATOR)
            model = registry.find(connection, facts["name"])
            assert model is not None
            return registry.activate(connection, model, Role(role), actor=OPERATOR)

    _carry_out(settings, order, wait=wait)


@click.command()
@ROLE
@WAIT
@DATA
def rollback(role: str, *, wait: bool, data_dir: Path | None) -> None:
    """Let read what read before, where it can still be opened; before the first `activate` the settings named that."""

    def order(database: Database) -> Generation:
        with database.write() as connection:
            return registry.roll_back(connection, Role(role), actor=OPERATOR)

    _carry_out(settings_of(data_dir), order, wait=wait)


def settings_of(data_dir: Path | None) -> Settings:
    """The settings, with the data folder that a command was given."""
    return Settings.load(**({} if data_dir is None else {"data_dir": data_dir}))


def _carry_out(settings: Settings, order: Callable[[Database], Generation], *, wait: bool) -> None:
    try:
        with opened(settings) as database:
            generation = order(database)
            model = generation.model or "as the settings say"
            click.echo(f"Generation {generation.number}: {generation.role} = {model}.")
            if wait:
                _follow(database, generation)
    except errors.OcrelayError as error:
        raise click.ClickException(error.message) from error


def _follow(database: Database, generation: Generation) -> None:
    """Say of each child when it takes a generation up or refuses it; fails where it is held or another one came."""
    told: set[Takeup] = set()
    while True:
        with database.read() as connection:
            now = registry.get(connection, generation.number)
            takeups = registry.by_child(connection, generation.number)
            is_newest = registry.current(connection)[generation.role].number == generation.number
        for takeup in takeups:
            if takeup not in told and takeup.state is not TakeupState.WAITING:
                click.echo(
                    f"{takeup.child}  {takeup.state}  {takeup.reason or generation.model or 'as the settings say'}"
                )
        told.update(takeups)
        if now.state is RolloutState.HELD:
            raise click.ClickException(f"Held, and everybody goes on with the model of before. {now.reason}")
        if now.state is RolloutState.SETTLED:
            click.echo("Every worker child has taken it up.")
            return
        if not is_newest:
            raise click.ClickException("Another model was activated meanwhile.")
        if not takeups:
            click.echo("No worker lives; those that start will read with it.")
            return
        clock.sleep(LOOK_SECONDS)
