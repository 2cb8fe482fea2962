"""Models that lie on a worker's machine are noted in the registry without anybody's doing."""

from __future__ import annotations

from typing import Any

import structlog

import models
from models.card import ModelCard, sha256_of
from models.db_detector import open_detector
from models.detector import DetectorCard
from models.recognizer import Place
from shared import errors, registry
from shared.audit.actor import Actor
from shared.database import Database
from shared.registry.record import Kind
from shared.settings import Settings
from worker.models import on_hand

log = structlog.get_logger(__name__)


def facts_of(place: Place, card: ModelCard) -> dict[str, Any]:
    """What the registry keeps of a recogniser."""
    return _facts(place, card, Kind.RECOGNISER, {"characters": len(card.charset.characters)})


def facts_of_detector(place: Place, card: DetectorCard) -> dict[str, Any]:
    """What the registry keeps of a detector."""
    return _facts(place, card, Kind.DETECTOR, {})


def _facts(place: Place, card: ModelCard | DetectorCard, kind: Kind, told: dict[str, Any]) -> dict[str, Any]:
    facts = {"name": card.name, "kind": str(kind), "version": card.version, "sha256": card.sha256}
    return {**facts, "path": str(place.path), "card": {"licence": card.licence, "source": card.source, **told}}


def note_all(database: Database, settings: Settings, by: Actor) -> dict[Kind, dict[str, str]]:
    """Note the models of this machine that nobody has noted; one that cannot be used is left out.

    Returns:
        SHA-256 of each model that can be used, by kind and name.
    """
    known: dict[str, str] = {}
    usable: dict[Kind, dict[str, str]] = {kind: {} for kind in Kind}
    try:
        with database.read() as connection:
            known = {model.name: model.sha256 for model in registry.list_models(connection)}
    except errors.DatabaseUnavailable as error:
        log.warning("Not every model of this machine was noted.", event_name="child.models_not_noted", error=str(error))
    for kind, places in (
        (Kind.RECOGNISER, on_hand.recognisers(settings)),
        (Kind.DETECTOR, on_hand.detectors(settings)),
    ):
        for place in places.values():
            sha256 = _note(database, kind, place, known.get(place.name), by)
            if sha256 is not None:
                usable[kind][place.name] = sha256
    return usable


def _note(database: Database, kind: Kind, place: Place, known: str | None, by: Actor) -> str | None:
    """Note one model, unless it is known; return the SHA-256 of its file, or None where it cannot be used."""
    try:
        sha256 = sha256_of(place.path)
        if sha256 == known:
            return sha256
        if kind is Kind.RECOGNISER:
            facts = facts_of(place, models.Recognizer(place.path, place.name).card)
        else:
            facts = facts_of_detector(place, open_detector(place.path, place.name).card)
    except (models.ModelFileError, OSError) as error:
        log.warning(
            "A model cannot be used and is not noted.",
            event_name="child.model_unusable",
            error=str(error),
        )
        return None
    try:
        with database.write() as connection:
            registry.note(connection, **facts, actor=by)
    except errors.DatabaseUnavailable as error:
        log.warning("A model was not noted.", event_name="child.models_not_noted", error=str(error))
    return sha256
