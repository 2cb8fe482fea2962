"""What the registry wants of a child: the settings as the newest generations change them, a model once it was tried."""

from __future__ import annotations

from collections.abc import Mapping

import models
from models import db_detector, detector, golden
from models.card import sha256_of
from models.db_detector import DbDetector
from models.detector import Detector
from models.recognizer import DEFAULT, WEIGHTS, Place, find
from shared.registry.record import Generation, Role
from shared.settings import Settings
from worker.models import on_hand

Generations = Mapping[Role, Generation]


def settings_for(settings: Settings, generations: Generations) -> Settings:
    """The settings with the recognisers that the roles were given; the others keep what the settings name."""
    changed = {}
    reader, stronger = (generations.get(role) for role in (Role.RECOGNISER, Role.STRONGER))
    if reader and reader.model:
        changed["model"] = _findable(settings, reader.model)
    if stronger and stronger.model:
        name = str(WEIGHTS / DEFAULT) if stronger.model == DEFAULT else _findable(settings, stronger.model)
        changed["models"] = f"{name},{settings.models}"  # by its name alone the shipped one is never the stronger
    return settings.model_copy(update=changed)


def reads_every_line(settings: Settings) -> str | None:
    """Return the name of the recogniser that reads every line; None: it is nowhere."""
    place = find(settings.model or DEFAULT, settings.models_folder)
    return place.name if place else None


def check_other_role(settings: Settings, generations: Generations, role: Role) -> None:
    """Refuse one model for both roles of recognisers: the later order is the one that cannot be followed.

    Raises:
        ModelFileError: The model that this role was given has the other one already.
    """
    mine, reader, stronger = generations[role], generations.get(Role.RECOGNISER), generations.get(Role.STRONGER)
    if mine.model is None:
        return
    is_reader_first = reader is None or reader.model is None or reader.number < mine.number
    if role is Role.STRONGER and reads_every_line(settings) == mine.model and is_reader_first:
        raise models.ModelFileError(f"{mine.model} reads every line already. Name another one.")
    if role is Role.RECOGNISER and stronger and stronger.model == mine.model and stronger.number < mine.number:
        raise models.ModelFileError(
            f"{mine.model} is the stronger one already. Name another one, or give that role another one first: "
            "`ocrelay models activate NAME --role stronger`, `ocrelay models rollback --role stronger`."
        )


def open_recogniser(settings: Settings, generation: Generation) -> models.Recognizer:
    """Load the recogniser of a generation and let it read the golden lines; without one, what the settings name.

    Raises:
        ModelFileError: It is not on this machine, is another file, or reads something else than it must.
    """
    if generation.model is None:
        return models.load(settings.model, threads=1, installed=settings.models_folder)
    place = _place_of(generation, on_hand.recognisers(settings))
    found = models.Recognizer(place.path, place.name, threads=1)
    golden.check(found, golden.stated_beside(place.path) or {})
    return found


def open_detector(settings: Settings, generation: Generation | None) -> Detector | DbDetector | None:
    """Load the detector of a generation and let it look at the golden lines; None: classical means find the lines.

    Raises:
        ModelFileError: It is not on this machine, is another file, or finds no line where there is one.
    """
    if generation is None or generation.model is None:
        return detector.load(threads=1) if settings.line_finder == "learned" else None
    place = _place_of(generation, on_hand.detectors(settings))
    found = db_detector.open_detector(place.path, place.name, threads=1)
    golden.check_detector(found)
    return found


def _place_of(generation: Generation, places: Mapping[str, Place]) -> Place:
    place = places.get(str(generation.model))
    if place is None:
        raise models.ModelFileError(f"There is no model {generation.model!r} on this machine. Install or add it here.")
    if sha256_of(place.path) != generation.sha256:
        raise models.ModelFileError(f"{place.path} is not the file that was activated. Install or add it anew.")
    return place


def _findable(settings: Settings, name: str) -> str:
    """The name, or the path where the settings name the model by its path alone."""
    place = on_hand.recognisers(settings).get(name)
    return name if place is None or find(name, settings.models_folder) else str(place.path)
