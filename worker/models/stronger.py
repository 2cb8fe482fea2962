"""The stronger recogniser of a worker: found at its start, loaded when the first line needs it."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import models
from models.bringing.derive import read_beside
from models.bringing.packs import is_damaged
from models.card import sha256_of, told
from models.recognizer import DEFAULT, Place, find
from shared.settings import Settings

if TYPE_CHECKING:
    from models import Recognizer


@dataclass(frozen=True)
class Stronger:
    """A model that is installed. version, sha256: as its card will say once it is loaded."""

    place: Place
    version: str
    sha256: str
    _loaded: list[Recognizer] = field(default_factory=list, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What results call it."""
        return self.place.name

    @property
    def is_loaded(self) -> bool:
        """Whether it needs its file no more."""
        return bool(self._loaded)

    def load(self) -> Recognizer:
        """The recogniser, loaded at the first call, one thread for it.

        Raises:
            ModelFileError: The file cannot be used.
        """
        with self._lock:
            if not self._loaded:
                self._loaded.append(models.Recognizer(self.place.path, self.place.name, threads=1))
        return self._loaded[0]


def find_stronger(settings: Settings) -> Stronger | None:
    """The first installed model of OCRELAY_MODELS that does not read every line, as the shipped one is there for.

    None: there is none.

    Raises:
        ModelFileError: It is there, but it is damaged or cannot be used.
    """
    for name in settings.model_names:
        place = find(name, settings.models_folder)
        if name in (settings.model, DEFAULT) or place is None:
            continue
        if is_damaged(place.path):
            raise models.ModelFileError(
                f"{place.path} is not the file that was installed. Run `ocrelay models install {name}` again."
            )
        stated = read_beside(place.path)
        if {"sha256", "version"} <= stated.keys():
            return Stronger(place, told(stated, place.name)["version"], stated["sha256"])
        card = models.Recognizer(place.path, place.name).card  # nobody vouches for it: it is tried now, and let go
        return Stronger(place, card.version, sha256_of(place.path))
    return None
