"""Models of a machine that have no role: a job that names one is read by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from models.recognizer import Place
from worker.ocr.decode import memory

if TYPE_CHECKING:
    from models import Recognizer
    from models.db_detector import DbDetector
    from models.detector import Detector


class Others:
    """Opens the models that a job names, and keeps the last ones, for whoever names a model often has more jobs.

    Used by the one thread of a child that reads.
    """

    def __init__(
        self,
        places: Mapping[str, Place],
        sha256s: Mapping[str, str],
        finders: Mapping[str, Place] | None = None,
        finder_sha256s: Mapping[str, str] | None = None,
    ) -> None:
        self._places, self._finders = places, finders or {}
        self.sha256s, self.finder_sha256s = dict(sha256s), dict(finder_sha256s or {})
        """Of the file of each recogniser and of each detector that can be opened, by name."""
        self._last: Recognizer | None = None
        self._last_finder: Detector | DbDetector | None = None

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
            memory.let_go()
            place = self._places[name]
            self._last = Recognizer(place.path, place.name, threads=1)
        return self._last

    def open_finder(self, name: str) -> Detector | DbDetector | None:
        """The same of the detectors."""
        from models.db_detector import open_detector

        if name not in self.finder_sha256s or name not in self._finders:
            return None
        if self._last_finder is None or self._last_finder.card.name != name:
            self._last_finder = None
            memory.let_go()
            place = self._finders[name]
            self._last_finder = open_detector(place.path, place.name, threads=1)
        return self._last_finder
