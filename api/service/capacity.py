"""Whether there is room for more: jobs that wait, workers that live and their models, open jobs of one key."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.service.parts import Parts
from shared import errors, jobs, workers
from shared.options import RecognitionOptions
from shared.workers import WorkerChild


@dataclass(frozen=True)
class Readers:
    """What the workers that live read with."""

    children: Sequence[WorkerChild] = ()

    def of(self, options: RecognitionOptions) -> str | None:
        """SHA-256 of the reader of a job with these options; None: nobody lives, or they are not equal."""
        found = {child.reader_of(options.model, options.detector) for child in self.children}
        return found.pop() if len(found) == 1 else None


def admit(parts: Parts, wanted: Iterable[RecognitionOptions]) -> Readers:
    """Refuse while too many jobs wait, nobody has worked for long, or a worker has not what is asked for, by name or as
    the best, for that one might take the job; else return what the workers read with.

    Raises:
        Saturated, NoWorkers, UnknownModel, NoStrongerModel.
    """
    settings = parts.settings
    with parts.database.read() as connection:
        children, waiting = workers.live_children_and(connection, jobs.waiting_count())
        if waiting >= settings.backlog_limit:
            raise errors.Saturated(backlog=waiting, limit=settings.backlog_limit)
        patience = settings.no_worker_seconds
        if patience and not children and waiting and jobs.has_waited(connection, patience):
            raise errors.NoWorkers(backlog=waiting)
    for options in wanted if children else ():  # without workers the one that comes will say
        _check(options, children)
    return Readers(children)


def _check(options: RecognitionOptions, children: Sequence[WorkerChild]) -> None:
    """Raise UnknownModel or NoStrongerModel where a worker has not what is asked for."""
    for option, name, has in (
        ("model", options.model, [child.models for child in children]),
        ("detector", options.detector, [child.finders for child in children]),
    ):
        loaded = set.intersection(*map(set, has))
        if name is not None and name not in loaded:
            raise errors.UnknownModel(**{option: name}, loaded=sorted(loaded))
    if options.quality == "best" and not all(child.stronger for child in children):
        raise errors.NoStrongerModel()


def check_open_jobs(parts: Parts, connection: Connection, key_id: str | None, more: int) -> None:
    """Raise TooManyOpenJobs where so many more would be too many for the key."""
    most = parts.settings.max_open_jobs_per_key
    if most and key_id:
        found = jobs.open_count(connection, key_id)
        if found + more > most:
            raise errors.TooManyOpenJobs(open_jobs=found, more=more, limit=most)
