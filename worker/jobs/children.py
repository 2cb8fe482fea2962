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
from sqlalchemy import Connection

from shared import clock, errors, registry, workers
from shared.audit import actor
from shared.database import Database
from shared.registry.record import Generation, Role, RolloutState
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
LOOK_SECONDS = 1.0
"""How often an idle child asks whether another model was activated; a busy one asks before each job."""


class Child:
    """One process that reads documents.

    A thread loads the model, then keeps the row of this child fresh. The first task waits for the model; Celery kills
    children whose start takes long, so the start itself must not.
    """

    def __init__(self, settings: Settings) -> None:
        self._given = self._settings = settings
        self._generations: dict[Role, Generation] = {}
        self._lock = threading.Lock()
        self._node = settings.node_name
        self._recognizer: Recognizer | None = None
        self._settled = threading.Event()
        self._stopping = threading.Event()
        self._child_id: str | None = None
        self._is_told = self._has_news = False
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

    def ready(self) -> tuple[Recognizer | None, Workplace]:
        """Return what the next job is read with, waiting while it is loaded; without a recogniser if it cannot be."""
        self._settled.wait()
        self._catch_up()
        with self._lock:
            return self._recognizer, self.place

    def _live(self) -> None:
        while not self._load():
            if self._stopping.wait(LOAD_AGAIN_SECONDS):
                return
        self._say_alive()
        self._note_models()
        while True:
            self._say_alive()
            said = clock.monotonic()
            while clock.monotonic() - said < workers.HEARTBEAT_SECONDS:
                if self._stopping.wait(LOOK_SECONDS):
                    return
                self._catch_up()
                if self._has_news:
                    self._say_alive()
            with self._lock:
                self._look_at_models()

    def _note_models(self) -> None:
        from worker.models.noting import note_all

        note_all(self.place.database, self._given, actor.worker(f"{self._node}/{os.getpid()}"))

    def _catch_up(self) -> None:
        """Take up what was activated since the last look; the job in hand keeps what it has.

        The new session is opened and tried beside the old one; a child that cannot keeps that and holds the rollout.
        """
        with self._lock:
            if self._recognizer is None:
                return
            try:
                with self.place.database.read() as connection:
                    found = registry.current(connection)
            except errors.DatabaseUnavailable:
                return
            if _numbers(found) != _numbers(self._generations):
                self._follow(found)

    def _follow(self, found: dict[Role, Generation]) -> None:
        from worker.models.wanted import open_tried, settings_for

        assert self._recognizer is not None
        settings, wanted, old = settings_for(self._given, found), found.get(Role.RECOGNISER), self._recognizer
        self._generations, before = found, self._generations
        try:
            if wanted == before.get(Role.RECOGNISER) or (wanted and wanted.sha256 == old.card.sha256):
                new = old
            else:
                new = open_tried(settings, wanted)
            self._try_stronger(settings, found.get(Role.STRONGER), before.get(Role.STRONGER))
        except Exception as error:  # noqa: BLE001  (whatever it is, the old one goes on)
            for role in (one for one in found.keys() - {Role.DETECTOR} if found[one] != before.get(one)):
                self._hold(found[role], f"{type(error).__name__}: {error}")
            return
        stronger = _find_stronger(settings, keep=self.place.stronger)
        self._recognizer, self._settings = new, settings
        reader = reader_sha256(new, self._detector, settings, stronger)
        self.place = replace(self.place, stronger=stronger, reader_sha256=reader)
        self._is_told, self._has_news = False, True
        log.info("This child reads as was ordered from now on.", event_name="child.models_changed", model=new.card.name)

    def _try_stronger(self, settings: Settings, wanted: Generation | None, before: Generation | None) -> None:
        """Let a stronger model read the golden lines; it is let go then, and loaded when the first line needs it."""
        from worker.models.wanted import open_tried

        if wanted is not None and wanted.model is not None and wanted != before:
            open_tried(settings, wanted)

    def _hold(self, generation: Generation, reason: str) -> None:
        child = f"{self._node}/{os.getpid()}"
        log.error(
            "The model that was activated cannot be taken up; this child keeps what it has and holds the rollout.",
            event_name="child.model_refused",
            model=generation.model,
            error=reason,
        )
        try:
            with self.place.database.write() as connection:
                registry.hold(connection, generation, reason=f"{child}: {reason}", actor=actor.worker(child))
        except errors.DatabaseUnavailable:
            self._generations.pop(generation.role)  # it is tried again

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
        self._note_models()
        log.info(
            "This child reads with another stronger model from now on.",
            event_name="child.stronger_model_changed",
            model=new.name if new else None,
        )

    def _load(self) -> bool:
        try:
            from worker.models.stronger import signature
            from worker.models.wanted import settings_for

            with self.place.database.read() as connection:
                self._generations = registry.current(connection)
            self._settings = settings_for(self._given, self._generations)
            detector, recognizer = _load_detector(self._settings.line_finder), self._load_ordered()
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

    def _load_ordered(self) -> Recognizer:
        """The recogniser at the start; there is no old one to keep: after a hold, the next try gets the one before."""
        from worker.models.wanted import open_tried

        wanted = self._generations.get(Role.RECOGNISER)
        if wanted is None:
            return _load_model(self._settings)
        try:
            _prepare_libraries()
            return open_tried(self._settings, wanted)
        except Exception as error:
            self._hold(wanted, f"{type(error).__name__}: {error}")
            raise

    def _say_alive(self) -> None:
        with self._lock:
            assert self._recognizer is not None
            card, stronger, reader = self._recognizer.card, self.place.stronger, self.place.reader_sha256
            row, followed = (self._child_id if self._is_told else None), self._generations
            self._is_told, self._has_news = True, False
        try:
            with self.place.database.write() as connection:
                rss_bytes = _rss_bytes()
                if row is None or not workers.refresh(connection, row, rss_bytes=rss_bytes):
                    self._child_id = workers.register(
                        connection,
                        node=self._node,
                        host=socket.gethostname(),
                        pid=os.getpid(),
                        model=_told(card),
                        reader_sha256=_still(connection, followed, reader),
                        rss_bytes=rss_bytes,
                        stronger=_told(stronger) if stronger else None,
                    )
                _settle(connection, followed)
        except errors.DatabaseUnavailable as error:
            self._is_told = False
            log.warning(
                "This child could not say that it is alive. Check the database.",
                event_name="child.not_heard",
                error=str(error),
            )


def _numbers(generations: dict[Role, Generation]) -> dict[Role, int]:
    return {role: generation.number for role, generation in generations.items()}


def _still(connection: Connection, followed: dict[Role, Generation], reader: str | None) -> str | None:
    """What a child reads with, unless another order came meanwhile: then no result may be copied yet."""
    return reader if _numbers(registry.current(connection)) == _numbers(followed) else None


def _settle(connection: Connection, followed: dict[Role, Generation]) -> None:
    """End the rollouts that every child that lives has followed: each has said anew what it reads with."""
    rolling = [one for one in followed.values() if one.state is RolloutState.ROLLING]
    if rolling and all(child.reader_sha256 for child in workers.live_children(connection)):
        for generation in rolling:
            registry.settle(connection, generation.number)


def _load_model(settings: Settings) -> Recognizer:
    import models

    _prepare_libraries()
    return models.load(settings.model, threads=1, installed=settings.models_folder)


def _prepare_libraries() -> None:
    import cv2

    import worker.ocr.pipeline  # noqa: F401  (its libraries, before the first job rather than during it)

    cv2.setNumThreads(1)


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
