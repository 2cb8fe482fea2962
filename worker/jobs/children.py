"""What one worker child holds. Made after the fork: neither connections nor models survive one."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import threading
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from shared import errors, workers
from shared.database import Database
from shared.settings import Settings
from shared.uploads.store import open_uploads
from worker.jobs.work import Workplace

if TYPE_CHECKING:
    from models import Recognizer
    from models.card import ModelCard
    from models.detector import Detector
    from worker.models.stronger import Stronger

log = structlog.get_logger(__name__)

LOAD_AGAIN_SECONDS = 5.0
STOP_SECONDS = 5.0
SITTING = 0.1
"""Share of the time limit for which a child reads pages of one job; what is left of it is for the page in hand."""


class Child:
    """One process that reads documents.

    A thread loads the model, then keeps the row of this child fresh. The first task waits for the model; Celery kills
    children whose start takes long, so the start itself must not.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._node = settings.node_name
        self._recognizer: Recognizer | None = None
        self._settled = threading.Event()
        self._stopping = threading.Event()
        self._child_id: str | None = None
        self._is_told = False
        self._models_seen: tuple[tuple[str, int, int], ...] = ()
        self._detector: Detector | None = None
        self._thread = threading.Thread(target=self._live, name="child", daemon=True)
        self.place = Workplace(
            database=Database(settings.database, pool_size=2),
            blobs=open_uploads(settings),
            limits=settings.limits,
            lease_seconds=settings.lease_seconds,
            admission=settings.quality_admission,
            sitting_seconds=settings.job_time_limit_seconds * SITTING,
            quality=settings.quality,
        )

    @property
    def node(self) -> str:
        """Name of the worker that this child belongs to."""
        return self._node

    def start(self) -> None:
        """Start the thread that loads the model and then says that this child is alive."""
        self._thread.start()

    def stop(self) -> None:
        """Take this child off the list of the living, once its thread cannot put it back any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        if self._child_id is None:
            return
        try:
            with self.place.database.write() as connection:
                workers.forget(connection, self._child_id)
        except errors.DatabaseUnavailable:
            log.debug("This child stays on the list until it counts as dead.", event_name="child.not_forgotten")

    def recognizer(self) -> Recognizer | None:
        """Return the recogniser, waiting while it is loaded for the first time; None when it cannot be loaded."""
        self._settled.wait()
        return self._recognizer

    def _live(self) -> None:
        while not self._load():
            if self._stopping.wait(LOAD_AGAIN_SECONDS):
                return
        while True:
            self._say_alive()
            if self._stopping.wait(workers.HEARTBEAT_SECONDS):
                return
            self._look_at_models()

    def _look_at_models(self) -> None:
        """Take up a stronger model that was installed or removed meanwhile; the job in hand keeps what it has.

        One that cannot be used is not taken up: the one that was loaded goes on.
        """
        from worker.models.stronger import signature

        seen, old = signature(self._settings), self.place.stronger
        if seen == self._models_seen:
            return
        self._models_seen = seen
        new = _find_stronger(self._settings, keep=old if old is not None and old.is_loaded else None)
        if (new and new.sha256) == (old and old.sha256):
            return
        assert self._recognizer is not None
        reader = reader_sha256(self._recognizer, self._detector, self._settings, new)
        self.place = replace(self.place, stronger=new, reader_sha256=reader)
        self._is_told = False
        log.info(
            "This child reads with another stronger model from now on.",
            event_name="child.stronger_model_changed",
            model=new.name if new else None,
        )

    def _load(self) -> bool:
        try:
            from worker.models.stronger import signature

            detector, recognizer = _load_detector(self._settings.line_finder), _load_model(self._settings)
            self._detector, self._models_seen = detector, signature(self._settings)
            stronger = _find_stronger(self._settings)
            reader = reader_sha256(recognizer, detector, self._settings, stronger)
            self.place = replace(self.place, detector=detector, stronger=stronger, reader_sha256=reader)
            self._recognizer = recognizer
        except Exception as error:  # noqa: BLE001  (whatever it is, this child cannot work, and must say so)
            log.error(
                "The model cannot be loaded; this child takes no job and tries again. Run `ocrelay doctor`.",
                event_name="child.no_model",
                error=str(error),
            )
        self._settled.set()
        return self._recognizer is not None

    def _say_alive(self) -> None:
        assert self._recognizer is not None
        card, stronger = self._recognizer.card, self.place.stronger
        try:
            with self.place.database.write() as connection:
                rss_bytes = _rss_bytes()
                row = self._child_id if self._is_told else None
                if row is None or not workers.refresh(connection, row, rss_bytes=rss_bytes):
                    self._child_id = workers.register(
                        connection,
                        node=self._node,
                        host=socket.gethostname(),
                        pid=os.getpid(),
                        model=_told(card),
                        reader_sha256=self.place.reader_sha256,
                        rss_bytes=rss_bytes,
                        stronger=_told(stronger) if stronger else None,
                    )
            self._is_told = True
        except errors.DatabaseUnavailable as error:
            log.warning(
                "This child could not say that it is alive. Check the database.",
                event_name="child.not_heard",
                error=str(error),
            )


def _load_model(settings: Settings) -> Recognizer:
    import cv2

    import models
    import worker.ocr.pipeline  # noqa: F401  (its libraries, before the first job rather than during it)

    cv2.setNumThreads(1)
    return models.load(settings.model, threads=1, installed=settings.models_folder)


def _load_detector(line_finder: str) -> Detector | None:
    from models import detector

    return detector.load(threads=1) if line_finder == "learned" else None


def _find_stronger(settings: Settings, keep: Stronger | None = None) -> Stronger | None:
    """The stronger model, which is loaded later; a child whose one is damaged says so, and keeps what it had."""
    import models
    from worker.models import stronger

    try:
        return stronger.find_stronger(settings)
    except (models.ModelFileError, OSError) as error:
        log.error(
            "The stronger model cannot be used; this child goes on with what it has. Run `ocrelay doctor`.",
            event_name="child.no_stronger_model",
            kept=keep.name if keep else None,
            error=str(error),
        )
        return keep


def _told(model: ModelCard | Stronger) -> dict[str, str]:
    return {"name": model.name, "version": model.version, "sha256": model.sha256}


def reader_sha256(
    recognizer: Recognizer, detector: Detector | None, settings: Settings, stronger: Stronger | None = None
) -> str:
    """Return the SHA-256 of everything beside bytes and options that decides what is read: equal ones read the same."""
    decisive = {
        "version": version("ocrelay"),
        "recogniser": recognizer.card.sha256,
        "ngram": recognizer.ngram.sha256 if recognizer.ngram else None,
        "detector": detector.card.sha256 if detector else None,
        "quality_admission": settings.quality_admission,
        "quality": settings.quality,
        "stronger": stronger.sha256 if stronger else None,
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def _rss_bytes() -> int | None:
    """Return how much memory this process holds, where the system says so in a file: Linux."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


_current: Child | None = None


def start_current(settings: Settings) -> Child:
    """Make this process a worker child. Call after the fork."""
    global _current  # noqa: PLW0603  (Celery offers no other place for the state of a process)
    _current = Child(settings)
    _current.start()
    return _current


def current() -> Child:
    """Return what this process holds.

    Raises:
        RuntimeError: This process is no worker child.
    """
    if _current is None:
        raise RuntimeError("this process is no worker child: start_current was not called")
    return _current


def stop_current() -> None:
    """End what this process holds, if it is a worker child."""
    if _current is not None:
        _current.stop()
