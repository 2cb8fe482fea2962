"""What one worker child holds. Made after the fork: neither connections nor models survive one."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from shared import clock, workers
from shared.database import Database
from shared.news import Teller, client_of
from shared.settings import Settings
from shared.up import broker
from shared.uploads.store import open_uploads
from worker.jobs.presence import Presence
from worker.jobs.readers import Workplace
from worker.ocr.decode import memory

if TYPE_CHECKING:
    from models import Recognizer
    from worker.models.equipment import Equipment
    from worker.models.following import Follower

log = structlog.get_logger(__name__)

LOAD_AGAIN_SECONDS = 5.0
STOP_SECONDS = 5.0
SITTING = 0.1
"""Share of the time limit for which a child reads pages of one job; what is left of it is for the page in hand."""
LOOK_SECONDS = 1.0
"""How often an idle child asks whether another model was activated; a busy one asks with each claim."""


class Child:
    """One process that reads documents.

    A thread loads the model, then keeps the row of this child fresh. The first task waits for the model; Celery kills
    children whose start takes long, so the start itself must not.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._stopping = threading.Event()
        self._follower: Follower | None = None
        self._equipment: Equipment | None = None
        self._has_news = False
        self._thread = threading.Thread(target=self._live, name="child", daemon=True)
        self._place = Workplace(
            database=Database(settings.database, pool_size=2),
            blobs=open_uploads(settings),
            limits=settings.limits,
            lease_seconds=settings.lease_seconds,
            admission=settings.quality_admission,
            sitting_seconds=settings.job_time_limit_seconds * SITTING,
            quality=settings.quality,
            news=Teller(client_of(broker.url_of(settings))),
        )
        self._presence = Presence(self._place.database, settings.node_name)

    @property
    def node(self) -> str:
        """Name of the worker that this child belongs to."""
        return self._settings.node_name

    def start(self) -> None:
        """Start the thread that loads the model and then says that this child is alive."""
        self._thread.start()

    def stop(self) -> None:
        """Take this child off the list of the living, once its thread cannot put it back any more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._presence.end()

    def ready(self) -> tuple[Recognizer | None, Workplace]:
        """Return what the next job is read with, waiting while it is loaded; without a recogniser if it cannot be."""
        self._settled.wait()
        with self._lock:
            return self._ready()

    def follow(self) -> tuple[Recognizer | None, Workplace]:
        """Take up what was activated since the last look; then as `ready`."""
        with self._lock:
            self._catch_up()
            return self._ready()

    def wait_for_model(self) -> tuple[Recognizer | None, Workplace]:
        """Wait as long as it takes to try once more to load the model; then as `ready`."""
        self._stopping.wait(LOAD_AGAIN_SECONDS)
        return self.ready()

    def _ready(self) -> tuple[Recognizer | None, Workplace]:
        if self._follower is None or self._equipment is None:
            return None, self._place
        return self._equipment.recognizer, replace(self._place, generation=self._follower.newest)

    def _live(self) -> None:
        while not self._load():
            if self._stopping.wait(LOAD_AGAIN_SECONDS):
                return
        while True:
            self._say_alive()
            said = clock.monotonic()
            while clock.monotonic() - said < workers.HEARTBEAT_SECONDS:
                if self._stopping.wait(LOOK_SECONDS):
                    return
                with self._lock:
                    self._catch_up()
                if self._has_news:
                    self._say_alive()
            with self._lock:
                self._look_around()

    def _load(self) -> bool:
        try:
            from worker.models.following import Follower

            follower = self._follower = Follower(self._settings, self._place.database)
            equipment = follower.load()
        except Exception as error:  # noqa: BLE001  (whatever it is, this child cannot work, and must say so)
            log.error(
                "The model cannot be loaded; this child takes no job and tries again. Run `ocrelay doctor`.",
                event_name="child.no_model",
                error=str(error),
            )
            self._presence.say_fault(f"{type(error).__name__}: {error}")
        else:
            with self._lock:
                self._take(equipment)
            memory.give_back()
        self._settled.set()
        return self._equipment is not None

    def _catch_up(self) -> None:
        """Take up what was activated since the last look; the job in hand keeps what it has."""
        if self._follower is not None and self._equipment is not None:
            self._take(self._follower.catch_up(self._equipment))

    def _look_around(self) -> None:
        """Take up what came to the machine or left it since the last look; the job in hand keeps what it has."""
        if self._follower is not None and self._equipment is not None:
            self._take(self._follower.look_around(self._equipment))

    def _take(self, equipment: Equipment) -> None:
        if equipment is self._equipment:
            return
        self._equipment = equipment
        self._place = replace(
            self._place,
            detector=equipment.detector,
            stronger=equipment.stronger,
            others=equipment.others,
            reader_sha256=equipment.reader_sha256,
        )
        self._has_news = True

    def _say_alive(self) -> None:
        with self._lock:
            assert self._follower is not None and self._equipment is not None
            told = self._equipment, dict(self._follower.generations), self._follower.taken
            anew, self._has_news = self._has_news, False
        if anew:
            memory.let_go()  # by now the job that was in hand has mostly ended, and what it read with is free
        if not self._presence.say(*told, anew=anew):
            self._has_news = True


_current: Child | None = None


def start_current(settings: Settings) -> Child:
    """Make this process a worker child. Call after the fork."""
    memory.keep_freed()
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
