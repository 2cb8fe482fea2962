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
    from models.detector import Detector

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
        self._thread = threading.Thread(target=self._live, name="child", daemon=True)
        self.place = Workplace(
            database=Database(settings.database, pool_size=2),
            blobs=open_uploads(settings),
            limits=settings.limits,
            lease_seconds=settings.lease_seconds,
            admission=settings.quality_admission,
            sitting_seconds=settings.job_time_limit_seconds * SITTING,
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

    def _load(self) -> bool:
        try:
            detector, recognizer = _load_detector(self._settings.line_finder), _load_model(self._settings.model)
            reader = reader_sha256(recognizer, detector, self._settings)
            self.place = replace(self.place, detector=detector, reader_sha256=reader)
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
        card = self._recognizer.card
        try:
            with self.place.database.write() as connection:
                rss_bytes = _rss_bytes()
                if self._child_id is None or not workers.refresh(connection, self._child_id, rss_bytes=rss_bytes):
                    self._child_id = workers.register(
                        connection,
                        node=self._node,
                        host=socket.gethostname(),
                        pid=os.getpid(),
                        model={"name": card.name, "version": card.version, "sha256": card.sha256},
                        reader_sha256=self.place.reader_sha256,
                        rss_bytes=rss_bytes,
                    )
        except errors.DatabaseUnavailable as error:
            log.warning(
                "This child could not say that it is alive. Check the database.",
                event_name="child.not_heard",
                error=str(error),
            )


def _load_model(name: str) -> Recognizer:
    import cv2

    import models
    import worker.ocr.pipeline  # noqa: F401  (its libraries, before the first job rather than during it)

    cv2.setNumThreads(1)
    return models.load(name, threads=1)


def _load_detector(line_finder: str) -> Detector | None:
    from models import detector

    return detector.load(threads=1) if line_finder == "learned" else None


def reader_sha256(recognizer: Recognizer, detector: Detector | None, settings: Settings) -> str:
    """Return the SHA-256 of everything beside bytes and options that decides what is read: equal ones read the same."""
    decisive = {
        "version": version("ocrelay"),
        "recogniser": recognizer.card.sha256,
        "ngram": recognizer.ngram.sha256 if recognizer.ngram else None,
        "detector": detector.card.sha256 if detector else None,
        "quality_admission": settings.quality_admission,
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
