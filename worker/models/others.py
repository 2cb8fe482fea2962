"""Models of a machine that have no role: a job that names one is read by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.recognizer import Place

if TYPE_CHECKING:
    from models import Recognizer


class Others:
    """Opens the model that a job names, and keeps the last one, for whoever names a model often has more jobs.

    Used by the one thread of a child that reads.
    """

    def __init__(self, places: Mapping[str, Place], sha256s: Mapping[str, str]) -> None:
        self._places = places
        self.sha256s = dict(sha256s)
        """Of the file of each model that can be opened, by name."""
        self._last: Recognizer | None = None

    def open(self, name: str) -> Recognizer | None:
        """The model of this name; None: this machine has none.

        Raises:
            ModelFileError: Its file cannot be used any more.
        """
        from models import Recognizer

        if name not in self.sha256s or name not in self._places:
            return None
        if self._last is None or self._last.card.name != name:
            self._last = None  # two at once would take the memory of two
            place = self._places[name]
            self._last = Recognizer(place.path, place.name, threads=1)
        return self._last
