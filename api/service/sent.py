"""What people send from a page, and how it goes on: the list of one visitor."""

from __future__ import annotations

from api.service import jobs as use_cases
from api.service.accept import Envelope, accept
from api.service.caller import Caller
from api.service.parts import Parts
from api.service.upload import Upload
from shared import jobs
from shared.jobs import Job, State
from shared.jobs import sent as store
from shared.jobs.idempotency import Key

MOST = 250
"""So many of the newest are shown; all are in the list of jobs."""
PLACED = 20
"""Of so many waiting ones the place in the queue is looked up."""


def send(
    parts: Parts,
    visitor: str,
    upload: Upload,
    client: Caller,
    key: Key | None = None,
    *,
    batch: str | None = None,
    batch_name: str | None = None,
) -> Job:
    """Accept one document, and note who sent it; raises what ``accept`` does.

    Args:
        parts: Of the process.
        visitor: Who sends it.
        upload: The document.
        client: Whose key it is.
        key: Lets it be one job, however often it is sent.
        batch: That it joins; ``accept.NEW`` begins one.
        batch_name: What a new one is called.
    """
    envelope = Envelope(client.shown_address, client.key_id, key, joins=batch, reference=batch_name)
    accepted = accept(parts, [upload], envelope)
    with parts.database.write() as connection:
        store.remember(connection, visitor, [accepted.subject])
    return use_cases.job_of(parts, accepted, None)


def list_of(parts: Parts, visitor: str) -> list[Job]:
    """The newest documents of a visitor, with their results or their places in the queue."""
    with parts.database.read() as connection:
        found = store.list_of(connection, visitor, limit=MOST)
        first = [job.id for job in found if job.state == State.QUEUED][-PLACED:]
        return [jobs.with_position(connection, job) if job.id in first else job for job in found]


def changes(parts: Parts, visitor: str, seen: dict[str, tuple[object, ...]]) -> tuple[list[Job], bool]:
    """What stands elsewhere than it was seen, of a visitor's documents; that is noted. And whether all have ended."""
    found = []
    with parts.database.read() as connection:
        states = store.states_of(connection, visitor, limit=MOST)
        waiting = [job_id for job_id, state in states.items() if state[0] == State.QUEUED]
        for job_id, state in states.items():
            if seen.get(job_id, ())[:3] == state and job_id not in waiting[-PLACED:]:
                continue
            job = jobs.get(connection, job_id)
            now = (*state, job and job.queue_position)
            if job is not None and seen.get(job_id) != now:
                seen[job_id] = now
                found.append(job)
    return found, all(state[0] not in (State.QUEUED, State.RUNNING) for state in states.values())


def clear(parts: Parts, visitor: str) -> None:
    """Empty the list of a visitor; the jobs stay."""
    with parts.database.write() as connection:
        store.forget(connection, visitor)
