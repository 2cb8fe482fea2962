"""Which worker children are alive: each keeps one row fresh, so that anybody can see who can take a job."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, ScalarSelect, Select, and_, delete, insert, select, update

from shared.database import database_now
from shared.tables import worker_children

HEARTBEAT_SECONDS = 5.0
"""How often a child refreshes its row."""
LIVE_SECONDS = 20.0
"""A child that was silent for longer counts as dead."""
FORGET_SECONDS = 3600.0
"""The row of a dead child is deleted after this time."""


@dataclass(frozen=True)
class WorkerChild:
    """One process that has loaded its model and takes jobs."""

    id: str
    """``NODE/PID``."""
    node: str
    """The worker it belongs to."""
    host: str
    """Name of its machine."""
    pid: int
    """Its process id there."""
    model: str
    """Name of the model it has loaded."""
    model_version: str
    """Version of that model."""
    model_sha256: str
    """SHA-256 of the model's file."""
    reader_sha256: str | None
    """Of everything that decides what it reads: models, n-gram, line detector, settings, version of ocrelay."""
    started_at: datetime
    """When it was ready; the database's clock, UTC."""
    heartbeat_at: datetime
    """When it was last heard of; the database's clock, UTC."""
    rss_bytes: int | None = None
    """Memory that it held then; None: its system does not say."""
    stronger: str | None = None
    """Name of the stronger model that it has; None: it has none."""
    stronger_version: str | None = None
    """Version of that model."""
    stronger_sha256: str | None = None
    """SHA-256 of that model's file."""
    on_hand: dict[str, str] | None = None
    """SHA-256 of each model of its machine that a job may name, by name."""
    detector: str | None = None
    """Name of the detector that finds its lines; None: classical means do."""
    detector_version: str | None = None
    """Version of that detector."""
    detector_sha256: str | None = None
    """SHA-256 of that detector's file."""
    detectors: dict[str, str] | None = None
    """SHA-256 of each detector of its machine that a job may name, by name."""
    fault: str | None = None
    """Why it takes no job; None: it does."""

    @property
    def models(self) -> dict[str, str]:
        """SHA-256 of each model that it can read with, by name: with its own two, and with those of its machine."""
        own = {self.model: self.model_sha256}
        if self.stronger and self.stronger_sha256:
            own[self.stronger] = self.stronger_sha256
        return {**(self.on_hand or {}), **own}

    @property
    def finders(self) -> dict[str, str]:
        """SHA-256 of each detector that it can find lines with, by name: its own, and those of its machine."""
        own = {self.detector: self.detector_sha256} if self.detector and self.detector_sha256 else {}
        return {**(self.detectors or {}), **own}

    def reader_of(self, model: str | None, detector: str | None = None) -> str | None:
        """SHA-256 of all that decides what it reads for a job that names these; None: it is not known."""
        sha256 = self.reader_sha256
        for name, known in ((model, self.models), (detector, self.finders)):
            if name is not None and sha256 is not None:
                sha256 = named_reader(sha256, known[name]) if name in known else None
        return sha256


def named_reader(reader_sha256: str, model_sha256: str) -> str:
    """Return the SHA-256 of all that decides what is read where a job names a model or a detector."""
    return hashlib.sha256(f"{reader_sha256} {model_sha256}".encode("ascii")).hexdigest()


_NAMES = tuple(column.name for column in worker_children.c)
_IS_HEARD = worker_children.c.heartbeat_at > database_now(-LIVE_SECONDS)
_IS_LIVE = (_IS_HEARD, worker_children.c.fault.is_(None))
_HEARD = select(worker_children).where(_IS_HEARD).order_by(worker_children.c.id)
_LIVE = _HEARD.where(worker_children.c.fault.is_(None))
_FAULTY = _HEARD.where(worker_children.c.fault.is_not(None))


def faulty_children(connection: Connection) -> list[WorkerChild]:
    """Return the children that were heard of lately and take no job, for they have no model; `fault` says why."""
    return [WorkerChild(**row) for row in connection.execute(_FAULTY).mappings()]


def live_children(connection: Connection, *, node: str | None = None) -> list[WorkerChild]:
    """Return the children that were heard of lately and take jobs, of every machine or of one node."""
    query = _LIVE
    if node is not None:
        query = query.where(worker_children.c.node == node)
    return [WorkerChild(**row) for row in connection.execute(query).mappings()]


def live_children_and(connection: Connection, question: ScalarSelect[int]) -> tuple[list[WorkerChild], int]:
    """Return the children that live, and the answer to another question, which always has one: in one statement."""
    rows = connection.execute(_live_and(question)).all()
    living = [WorkerChild(**{name: row._mapping[name] for name in _NAMES}) for row in rows if row.id is not None]
    return living, rows[0].answer


@cache
def _live_and(question: ScalarSelect[int]) -> Select[Any]:
    asked = select(question.label("answer")).subquery()
    return (
        select(asked.c.answer, worker_children)
        .join_from(asked, worker_children, and_(*_IS_LIVE), isouter=True)
        .order_by(worker_children.c.id)
    )


def register(
    connection: Connection,
    *,
    node: str,
    host: str,
    pid: int,
    model: dict[str, Any],
    reader_sha256: str | None = None,
    rss_bytes: int | None = None,
    stronger: dict[str, Any] | None = None,
    on_hand: dict[str, str] | None = None,
    detector: dict[str, Any] | None = None,
    detectors: dict[str, str] | None = None,
) -> str:
    """Note a child as ready for jobs and return its id.

    Args:
        connection: A write transaction.
        node: The worker it belongs to.
        host: Name of its machine.
        pid: Its process id there.
        model: {name, version, sha256} of the model that it has loaded.
        reader_sha256: of everything that decides what it reads.
        rss_bytes: Memory that it holds.
        stronger: The same of the stronger model that it has.
        on_hand: SHA-256 of each model of its machine that a job may name, by name.
        detector: The same as of the model of what finds its lines.
        detectors: The same as `on_hand` of the detectors.
    """
    stronger, detector = stronger or {}, detector or {}
    child_id = f"{node}/{pid}"
    forget(connection, child_id)
    connection.execute(
        insert(worker_children).values(
            id=child_id,
            node=node,
            host=host,
            pid=pid,
            model=model["name"],
            model_version=model["version"],
            model_sha256=model["sha256"],
            reader_sha256=reader_sha256,
            stronger=stronger.get("name"),
            stronger_version=stronger.get("version"),
            stronger_sha256=stronger.get("sha256"),
            on_hand=on_hand,
            detector=detector.get("name"),
            detector_version=detector.get("version"),
            detector_sha256=detector.get("sha256"),
            detectors=detectors,
            started_at=database_now(),
            heartbeat_at=database_now(),
            rss_bytes=rss_bytes,
        )
    )
    return child_id


def note_fault(connection: Connection, *, node: str, host: str, pid: int, fault: str) -> str:
    """Note a child that lives and takes no job, and why; return its id."""
    nothing = {"name": "", "version": "", "sha256": ""}
    child_id = register(connection, node=node, host=host, pid=pid, model=nothing)
    mine = update(worker_children).where(worker_children.c.id == child_id)
    connection.execute(mine.values(fault=fault[:500]))
    return child_id


def refresh(connection: Connection, child_id: str, *, rss_bytes: int | None = None) -> bool:
    """Say that the child is alive, and how much memory it holds. False: its row is gone, and it must register again."""
    values = {"heartbeat_at": database_now(), "rss_bytes": rss_bytes}
    query = update(worker_children).where(worker_children.c.id == child_id).values(values)
    return connection.execute(query).rowcount == 1


def forget(connection: Connection, child_id: str) -> None:
    """Remove a child that ends."""
    connection.execute(delete(worker_children).where(worker_children.c.id == child_id))


def forget_node(connection: Connection, node: str) -> None:
    """Remove all children of a node. Only for who knows that none of them is alive."""
    connection.execute(delete(worker_children).where(worker_children.c.node == node))


def forget_dead(connection: Connection) -> int:
    """Remove the rows of children that died long ago; return how many."""
    stale = worker_children.c.heartbeat_at < database_now(-FORGET_SECONDS)
    return connection.execute(delete(worker_children).where(stale)).rowcount
