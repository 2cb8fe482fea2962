"""The right of this worker to a job, kept alive by a thread while the work goes on."""

from __future__ import annotations

import contextvars
import math
import threading
from types import TracebackType
from typing import Self

import structlog

from shared import clock, errors, jobs
from shared.database import Database

log = structlog.get_logger(__name__)


LOOK_SECONDS = 1.0
"""How often the database is asked, between two renewals, whether the job was cancelled."""


class LeaseLost(Exception):  # noqa: N818  (reads as what happened)
    """The job was cancelled, or belongs to somebody else. Abandon the work; what is written of it would be refused."""


class _Beats:
    """The thread that beats for the leases of this process; it ends when there are none, and costs a job nothing."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._due: dict[Lease, float] = {}
        self._looks_at = 0.0
        self._thread: threading.Thread | None = None

    def add(self, lease: Lease) -> None:
        """Beat for the lease from now on."""
        with self._changed:
            due = self._due[lease] = clock.monotonic() + lease.pause_seconds
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="leases", daemon=True)
                self._thread.start()
            elif due < self._looks_at:
                self._changed.notify()

    def remove(self, lease: Lease) -> None:
        """Beat for it no longer. The thread is not woken for that."""
        with self._changed:
            self._due.pop(lease, None)

    def _run(self) -> None:
        while True:
            with self._changed:
                now = clock.monotonic()
                self._looks_at = min([now + LOOK_SECONDS, *self._due.values()])
                self._changed.wait(max(0.0, self._looks_at - now))
                if not self._due:
                    self._thread = None
                    return
                now = clock.monotonic()
                ready = [lease for lease, due in self._due.items() if due <= now]
            for lease in ready:
                goes_on = lease.beat()
                with self._changed:
                    if lease in self._due:
                        self._due[lease] = clock.monotonic() + lease.pause_seconds if goes_on else math.inf


_beats = _Beats()


class Lease:
    """Renews the lease of one job every third of its length, from entering the ``with`` block to leaving it.

    In between it looks every second, reading only, so that a cancelled job is left soon. One thread does so for all.

    onnxruntime and OpenCV let go of the interpreter while they compute, so the thread beats during long calls too. It
    would also beat while the work hangs; against that there is the hard time limit.
    """

    def __init__(self, database: Database, job_id: str, token: str, *, seconds: float) -> None:
        self._database = database
        self._job_id = job_id
        self._token = token
        self._seconds = seconds
        self._is_ended = False
        self._is_lost = False
        self._beating = threading.Lock()
        self._renewed_at = self._tried_at = clock.monotonic()
        self._context = contextvars.copy_context()  # with its log lines bound to the job

    def __enter__(self) -> Self:
        _beats.add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _beats.remove(self)
        with self._beating:  # a beat that has begun comes to its end
            self._is_ended = True

    @property
    def is_lost(self) -> bool:
        """Whether the job was cancelled or belongs to somebody else."""
        return self._is_lost

    @property
    def pause_seconds(self) -> float:
        """Time between two beats."""
        return min(LOOK_SECONDS, self._seconds / 3)

    def check(self) -> None:
        """Stop the work here if the lease is lost.

        Raises:
            LeaseLost: It is.
        """
        if self.is_lost:
            raise LeaseLost(self._job_id)

    def beat(self) -> bool:
        """Renew the lease where it is time, else look. False: no beat is needed any more."""
        with self._beating:
            if not self._is_ended and not self._is_lost:
                self._context.run(self._renew_or_look)
            return not self._is_lost

    def _renew_or_look(self) -> None:
        if clock.monotonic() - self._tried_at >= self._seconds / 3:
            self._tried_at = clock.monotonic()
            self._renew()
        else:
            self._look()

    def _look(self) -> None:
        try:
            with self._database.read() as connection:
                if not jobs.is_held(connection, self._job_id, self._token):
                    self._is_lost = True
        except errors.DatabaseUnavailable:
            log.debug("The job could not be looked at; the next renewal tells.", event_name="lease.not_seen")

    def _renew(self) -> None:
        try:
            with self._database.write() as connection:
                kept = jobs.heartbeat(connection, self._job_id, self._token, lease_seconds=self._seconds)
        except errors.DatabaseUnavailable as error:
            kept = clock.monotonic() - self._renewed_at < self._seconds
            log.warning(
                "The lease could not be renewed; trying again until it has run out. Check the database.",
                event_name="lease.not_renewed",
                error=str(error),
            )
        else:
            self._renewed_at = clock.monotonic()
        if not kept:
            self._is_lost = True
