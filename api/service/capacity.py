"""Whether there is room for more: jobs that wait, workers that live and their models, open jobs of one key."""

from __future__ import annotations

from collections.abc import Set

from sqlalchemy import Connection

from api.service.parts import Parts
from shared import errors, jobs, workers
from shared.options import QualityName


def admit(parts: Parts, models: Set[str], qualities: Set[QualityName | None] = frozenset()) -> str | None:
    """Refuse while too many jobs wait, nobody has worked for long, or none has a model that is asked for, by name or as
    the best; else return what every worker would read with.

    Returns:
        The SHA-256 of the reader, or None where no worker lives, or not all have the same one.

    Raises:
        Saturated, NoWorkers, UnknownModel, NoStrongerModel.
    """
    settings = parts.settings
    with parts.database.read() as connection:
        waiting = jobs.backlog(connection)
        children = workers.live_children(connection)
        if waiting >= settings.backlog_limit:
            raise errors.Saturated(backlog=waiting, limit=settings.backlog_limit)
        patience = settings.no_worker_seconds
        if patience and not children and waiting and jobs.has_waited(connection, patience):
            raise errors.NoWorkers(backlog=waiting)
    loaded = {name for child in children for name in child.models}
    if children and (unknown := models - loaded):  # without workers the one that comes will say
        raise errors.UnknownModel(model=min(unknown), loaded=sorted(loaded))
    if children and "best" in qualities and not any(child.stronger for child in children):
        raise errors.NoStrongerModel()
    readers = {child.reader_sha256 for child in children}
    return readers.pop() if len(readers) == 1 else None


def check_open_jobs(parts: Parts, connection: Connection, key_id: str | None, more: int) -> None:
    """Raise TooManyOpenJobs where so many more would be too many for the key."""
    most = parts.settings.max_open_jobs_per_key
    if most and key_id:
        found = jobs.open_count(connection, key_id)
        if found + more > most:
            raise errors.TooManyOpenJobs(open_jobs=found, more=more, limit=most)
