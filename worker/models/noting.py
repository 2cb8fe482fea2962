"""Models that lie on this machine come onto the list of the registry by themselves."""

from __future__ import annotations

from typing import Any

import structlog

import models
from models.card import ModelCard, sha256_of
from models.recognizer import Place, find
from shared import errors, registry
from shared.audit.actor import Actor
from shared.database import Database
from shared.settings import Settings

log = structlog.get_logger(__name__)

KIND = "recogniser"


def facts_of(place: Place, card: ModelCard) -> dict[str, Any]:
    """What the registry keeps of a recogniser."""
    told = {"licence": card.licence, "source": card.source, "characters": len(card.charset.characters)}
    facts = {"name": card.name, "kind": KIND, "version": card.version, "sha256": card.sha256, "path": str(place.path)}
    return facts | {"card": told}


def note_all(database: Database, settings: Settings, by: Actor) -> None:
    """Note the recognisers of this machine that nobody has noted; one that cannot be used is left out."""
    try:
        with database.read() as connection:
            known = {model.name: model.sha256 for model in registry.list_models(connection)}
        for name in models.names(settings.models_folder):
            place = find(name, settings.models_folder)
            if place is not None and known.get(name) != sha256_of(place.path):
                _note(database, place, by)
    except (errors.DatabaseUnavailable, OSError) as error:
        log.warning("Not every model of this machine was noted.", event_name="child.models_not_noted", error=str(error))


def _note(database: Database, place: Place, by: Actor) -> None:
    try:
        facts = facts_of(place, models.Recognizer(place.path, place.name).card)
    except models.ModelFileError as error:
        log.warning("A model cannot be used and is not noted.", event_name="child.model_unusable", error=str(error))
        return
    with database.write() as connection:
        registry.note(connection, **facts, actor=by)
