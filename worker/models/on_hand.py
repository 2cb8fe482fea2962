"""The models of one machine: those that were installed or added, the shipped ones, and those that the settings name."""

from __future__ import annotations

import contextlib

import models
from models import detector
from models.bringing import packs
from models.bringing.derive import CARD_NAME
from models.recognizer import DETECTORS, Place, find
from shared.settings import Settings


def recognisers(settings: Settings) -> dict[str, Place]:
    """Where each recogniser of this machine lies, by the name that results call it."""
    names = [settings.model, *settings.model_names, *models.names(settings.models_folder)]
    found = [place for name in names if name and (place := find(name, settings.models_folder))]
    return {place.name: place for place in reversed(found)}


def detectors(settings: Settings) -> dict[str, Place]:
    """The same of the detectors."""
    return {place.name: place for place in detector.places(settings.models_folder)}


def missing(name: str) -> str:
    """What to tell whoever names a model that is not here; one of a pack can be installed."""
    pack = name.removeprefix(DETECTORS)
    if pack in packs.PACKS:
        return f"{name} is not installed here. Fetch it with `ocrelay models install {pack}`."
    return f"There is no model {name!r} here. `ocrelay models list` names those there are."


def signature(settings: Settings) -> tuple[tuple[str, int, int], ...]:
    """What changes when a model comes, goes, or is another: cheap enough to ask often."""
    found = []
    for place in [*recognisers(settings).values(), *detectors(settings).values()]:
        for path in (place.path, place.path.with_name(CARD_NAME)):
            with contextlib.suppress(OSError):
                state = path.stat()
                found.append((str(path), state.st_mtime_ns, state.st_size))
    return tuple(sorted(found))
