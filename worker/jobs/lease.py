"""The right of this worker to a job, kept alive by a thread while the work goes on."""

from __future__ import annotations

import contextvars
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


class Lease:
    """Renews the lease of one job every third of its length, from entering the ``with`` block to leaving it.

    In between it looks every second, reading only, so that a cancelled job is left soon.

    onnxruntime and OpenCV let go of the interpreter while they compute, so the thread beats during long calls too. It
    would also beat while the work hangs; against that there is the hard time limit.
    """

    def __init__(self, database: Database, job_id: str, token: str, *, seconds: float) -> None:
        self._database = database
        self._job_id = job_id
        self._token = token
        self._seconds = seconds
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._renewed_at = self._tried_at = clock.monotonic()
        beat = contextvars.copy_context().run  # with its log lines bound to the job
        self._thread = threading.Thread(target=beat, args=(self._beat,), name=f"lease-{job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def is_lost(self) -> bool:
        """Whether the job was cancelled or belongs to somebody else."""
        return self._lost.is_set()

    def check(self) -> None:
        """Stop the work here if the lease is lost.

        Raises:
            LeaseLost: It is.
        """
        if self.is_lost:
            raise LeaseLost(self._job_id)

    def _beat(self) -> None:
        while not self._ended.wait(min(LOOK_SECONDS, self._seconds / 3)) and not self.is_lost:
            if clock.monotonic() - self._tried_at >= self._seconds / 3:
                self._tried_at = clock.monotonic()
                self._renew()
            else:
                self._look()

    def _look(self) -> None:
        try:
            with self._database.read() as connection:
                if not jobs.is_held(connection, self._job_id, self._token):
                    self._lost.set()
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
            self._lost.set()
