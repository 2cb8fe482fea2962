"""The row by which a worker child says that it is alive, and what it reads with."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection

from shared import errors, registry, workers
from shared.database import Database
from shared.registry.record import Generation, Role, RolloutState

if TYPE_CHECKING:
    from models.card import ModelCard
    from models.detector import DetectorCard
    from worker.models.equipment import Equipment
    from worker.models.stronger import Stronger

log = structlog.get_logger(__name__)


class Presence:
    """The row of one child."""

    def __init__(self, database: Database, node: str) -> None:
        self._database = database
        self._node = node
        self._child_id: str | None = None

    def say(
        self, equipment: Equipment, followed: Mapping[Role, Generation], taken: list[Generation], *, anew: bool
    ) -> bool:
        """Keep the row fresh, or write it anew; then end rollouts that everybody has followed.

        Args:
            equipment: What the child reads with.
            followed: The generations that it has looked at, by role.
            taken: Those of them that it reads with.
            anew: What the row says is not what the child reads with any more.

        Returns:
            False when the database was away.
        """
        is_known = self._child_id is not None and not anew
        try:
            with self._database.write() as connection:
                rss_bytes = _rss_bytes()
                if not (is_known and workers.refresh(connection, str(self._child_id), rss_bytes=rss_bytes)):
                    self._child_id = workers.register(
                        connection,
                        node=self._node,
                        host=socket.gethostname(),
                        pid=os.getpid(),
                        model=_told(equipment.recognizer.card),
                        reader_sha256=_still(connection, followed, equipment.reader_sha256),
                        rss_bytes=rss_bytes,
                        stronger=_told(equipment.stronger) if equipment.stronger else None,
                        on_hand=equipment.others.sha256s,
                        detector=_told(equipment.detector.card) if equipment.detector else None,
                        detectors=equipment.others.finder_sha256s,
                    )
                    registry.take_up(connection, [one.number for one in taken], self._child_id)
                _settle(connection, taken)
        except errors.DatabaseUnavailable as error:
            log.warning(
                "This child could not say that it is alive. Check the database.",
                event_name="child.not_heard",
                error=str(error),
            )
            return False
        return True

    def say_fault(self, fault: str) -> None:
        """Say that this child lives and takes no job, and why; until it says what it reads with."""
        try:
            with self._database.write() as connection:
                self._child_id = workers.note_fault(
                    connection, node=self._node, host=socket.gethostname(), pid=os.getpid(), fault=fault
                )
        except errors.DatabaseUnavailable as error:
            log.warning(
                "This child could not say why it takes no job. Check the database.",
                event_name="child.not_heard",
                error=str(error),
            )

    def end(self) -> None:
        """Take the child off the list of the living."""
        if self._child_id is None:
            return
        try:
            with self._database.write() as connection:
                workers.forget(connection, self._child_id)
        except errors.DatabaseUnavailable:
            log.debug("This child stays on the list until it counts as dead.", event_name="child.not_forgotten")


def _still(connection: Connection, followed: Mapping[Role, Generation], reader: str) -> str | None:
    """What a child reads with, unless another order came meanwhile: then no result may be copied yet."""
    now = {role: one.number for role, one in registry.current(connection).items()}
    return reader if now == {role: one.number for role, one in followed.items()} else None


def _settle(connection: Connection, taken: list[Generation]) -> None:
    """End the rollouts that every child that lives has followed: each has said anew what it reads with."""
    rolling = [one for one in taken if one.state is RolloutState.ROLLING]
    if rolling and all(child.reader_sha256 for child in workers.live_children(connection)):
        for generation in rolling:
            registry.settle(connection, generation.number)


def _told(model: ModelCard | DetectorCard | Stronger) -> dict[str, str]:
    return {"name": model.name, "version": model.version, "sha256": model.sha256}


def _rss_bytes() -> int | None:
    """Return how much memory this process holds, where the system says so in a file: Linux."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
