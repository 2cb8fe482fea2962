"""What the registry wants of a child: the settings as the newest generations change them, a model once it was tried."""

from __future__ import annotations

from collections.abc import Mapping

import models
from models import golden
from models.card import sha256_of
from models.recognizer import DEFAULT, find
from shared.registry.record import Generation, Role
from shared.settings import Settings

Generations = Mapping[Role, Generation]


def settings_for(settings: Settings, generations: Generations) -> Settings:
    """The settings with the models that the roles were given; what was given none keeps what the settings name."""
    changed = {}
    reader, stronger = (generations.get(role) for role in (Role.RECOGNISER, Role.STRONGER))
    if reader and reader.model:
        changed["model"] = reader.model
    if stronger and stronger.model:
        changed["models"] = f"{stronger.model},{settings.models}"
    return settings.model_copy(update=changed)


def open_tried(settings: Settings, generation: Generation | None) -> models.Recognizer:
    """Load the model of a generation and let it read the golden lines; without one, what the settings name.

    Raises:
        ModelFileError: It is not on this machine, is another file, or reads something else than it must.
    """
    if generation is None or generation.model is None:
        return models.load(settings.model, threads=1, installed=settings.models_folder)
    place = find(generation.model or DEFAULT, settings.models_folder)
    if place is None:
        raise models.ModelFileError(f"There is no model {generation.model!r} on this machine. Install or add it here.")
    if sha256_of(place.path) != generation.sha256:
        raise models.ModelFileError(f"{place.path} is not the file that was activated. Install or add it anew.")
    found = models.Recognizer(place.path, place.name, threads=1)
    golden.check(found, golden.stated_beside(place.path) or {})
    return found
