"""What the commands of `ocrelay models` tell the registry, where there is a database: what came, what went."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from sqlalchemy.engine import make_url

import models
from models.bringing.shelf import NAME
from models.db_detector import open_detector
from models.recognizer import DETECTORS, FILE_NAME, find
from shared import errors, registry
from shared.audit.actor import Actor
from shared.database import Database, require
from shared.migrations import check_schema
from shared.registry.record import Generation, Role
from shared.settings import Settings
from worker.models import on_hand
from worker.models.noting import facts_of, facts_of_detector
from worker.models.stronger import find_stronger
from worker.models.wanted import reads_every_line, settings_for


def has_database(settings: Settings) -> bool:
    """Whether there is a database: a server that was set, or the file of an earlier start."""
    url = make_url(settings.database)
    return url.get_backend_name() != "sqlite" or (url.database is not None and Path(url.database).is_file())


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, once its tables were found to be those of this version.

    Raises:
        OcrelayError: It is away, of another version, or none was ever made here.
    """
    require(settings.database)
    database = Database(settings.database, pool_size=1)
    try:
        check_schema(database)
        yield database
    finally:
        database.close()


def given(settings: Settings) -> Mapping[Role, Generation]:
    """What the roles were given, where there is a database that says so."""
    if not has_database(settings):
        return {}
    try:
        with opened(settings) as database, database.read() as connection:
            return registry.current(connection)
    except errors.OcrelayError as error:
        click.echo(f"The registry cannot be asked, so this is what the settings say: {error.message}", err=True)
        return {}


def facts_on_hand(settings: Settings, name: str) -> dict[str, Any]:
    """What the registry keeps of a model of this machine.

    Raises:
        ModelFileError: There is none of this name, or it cannot be used.
    """
    recogniser, detector = on_hand.recognisers(settings).get(name), on_hand.detectors(settings).get(name)
    if recogniser is None and detector is None:
        recogniser = find(name, settings.models_folder)  # by a path
    if recogniser is not None:
        return facts_of(recogniser, models.Recognizer(recogniser.path, recogniser.name).card)
    if detector is not None:
        return facts_of_detector(detector, open_detector(detector.path, detector.name).card)
    raise models.ModelFileError(on_hand.missing(name))


def note_come(settings: Settings, name: str, by: Actor) -> None:
    """Let the registry know a model that was added or installed; where it cannot be told, the first worker tells it."""
    if not has_database(settings):
        return
    try:
        with opened(settings) as database, database.write() as connection:
            registry.note(connection, **facts_on_hand(settings, name), actor=by)
    except errors.OcrelayError as error:
        click.echo(f"The registry was not told; the first worker that finds it will: {error.message}", err=True)


def note_gone(settings: Settings, name: str, remove: Callable[[], list[str]], by: Actor) -> list[str]:
    """Remove a model and strike it off the registry, both or neither.

    Returns:
        The names of all that was removed.

    Raises:
        ModelFileError: It is active, or there is none of this name; nothing was removed.
        OcrelayError: The database that says what is active is away; nothing was removed.
    """
    if not has_database(settings):
        _check_idle(settings, name, {})
        return remove()
    with opened(settings) as database, database.write() as connection:
        _check_idle(settings, name, registry.current(connection))
        for gone in (name, DETECTORS + name):
            registry.forget(connection, gone, actor=by)
        return remove()


def _check_idle(settings: Settings, name: str, generations: Mapping[Role, Generation]) -> None:
    """Raise ModelFileError where a model is active that could be removed."""
    if not NAME.fullmatch(name) or not (settings.models_folder / name / FILE_NAME).is_file():
        return
    gone = {name, DETECTORS + name}  # the detector of a pack goes with its recogniser
    given = {role: one.model for role, one in generations.items() if one.model}
    for role, model in given.items():
        if model in gone:
            raise models.ModelFileError(
                f"{model} is active as {role}. Activate another one first, or go back: "
                f"`ocrelay models activate NAME --role {role}`, `ocrelay models rollback --role {role}`."
            )
    by_settings = {
        Role.RECOGNISER: ("OCRELAY_MODEL", reads_every_line(settings)),
        Role.STRONGER: ("OCRELAY_MODELS", _stronger(settings_for(settings, generations))),
    }
    for role, (setting, named) in by_settings.items():
        if role not in given and named in gone:
            raise models.ModelFileError(
                f"{named} is active as {role}, for {setting} names it. Let {setting} name others, "
                f"or activate another one first: `ocrelay models activate NAME --role {role}`."
            )


def _stronger(settings: Settings) -> str | None:
    """Name of the stronger model; None: there is none that can be used."""
    try:
        found = find_stronger(settings)
    except (models.ModelFileError, OSError):
        return None
    return found.name if found else None
