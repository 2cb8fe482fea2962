"""Small jobs in company: a worker that takes a line of text takes others along that wait, and stores all together.

What is read of each does not depend on its company. Each has its own claim, lease, attempt, result and audit event;
what they share are transactions. Only jobs at their first attempt, with more to come, are read in company: where one of
them brings its worker down, each is read alone from then on, and only the one at fault does so again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, bindparam, case, exists, func, literal_column, select

from shared import ids
from shared.database import database_now
from shared.jobs.queries import is_state
from shared.jobs.record import Job, State, Submission
from shared.options import PRIORITIES
from shared.tables import jobs, worker_children
from shared.workers import LIVE_SECONDS

MOST = 8
"""So many are read together at most: the first of them waits for the last."""
MOST_PIXELS = 1_000_000
"""A document of more is not small."""
LATER_MILLISECONDS = 2000
"""Who was submitted so soon after the first may come along. So nobody is overtaken by more, which would look as if his
message were lost (``worker.sweep.publish_window.overtaken``)."""
EARLIER_MILLISECONDS = 250
"""So may who was submitted so shortly before, and has no message or not yet had his turn."""
WINDOW = 64
"""So many of the jobs that wait there are looked at, the oldest first."""
FOR_EACH_MESSAGE = 4
"""Of small documents that are submitted together every so manieth is published; the others come along."""
_LOOKED_AT = (
    "id", "priority", "options_sha256", "attempt", "max_attempts", "not_before", "page_count", "width", "height",
    "media_type",
)  # fmt: skip


def is_small(document: Job | Submission) -> bool:
    """Whether it is read in no time, as far as is known of it."""
    return (
        document.options.get("layout") == "line"
        and document.page_count == 1
        and document.width * document.height <= MOST_PIXELS
        and document.media_type.startswith("image/")
    )


def is_sociable(job: Job) -> bool:
    """Whether a job that was just claimed may have company, and others waited then."""
    is_first_of_more = job.attempt == 1 < job.max_attempts
    is_in_turn = job.promoted_at is None  # else its place before higher priorities is for itself
    return job.others_wait and is_small(job) and is_first_of_more and is_in_turn and job.options_sha256 is not None


def others_wait() -> ColumnElement[bool]:
    """Whether any other job waits than the one ``of_job``."""
    other = jobs.alias()
    waits = other.c.state == literal_column(f"'{State.QUEUED}'")
    return exists().where(waits, other.c.not_before.is_(None), other.c.id != bindparam("of_job"))


def given(first: Job, *, is_first: bool) -> dict[str, Any]:
    """What ``share`` is given for the job that the others shall accompany: now, or as soon as it has ended."""
    return {
        "near_from": ids.moved(first.id, -EARLIER_MILLISECONDS),
        "near_until": ids.moved(first.id, LATER_MILLISECONDS),
        "of_priority": PRIORITIES.index(first.priority),
        "wished_sha256": first.options_sha256,
        "rounded_up": int(not is_first),
        "at_most": MOST - int(is_first),
    }


def share() -> Select[Any]:
    """Ids of the jobs that wait, are like the first, and are this child's share of such: every one that lives has one.

    Of several children that ask at once none waits for another.
    """
    near = (
        select(*(jobs.c[name] for name in _LOOKED_AT))
        .where(is_state(State.QUEUED), jobs.c.id.between(bindparam("near_from"), bindparam("near_until")))
        .order_by(jobs.c.id)
        .limit(WINDOW)
        .cte("near")
    )
    alike = (
        select(near.c.id)
        .where(
            near.c.priority == bindparam("of_priority"),
            near.c.options_sha256 == bindparam("wished_sha256"),
            near.c.attempt == 0,
            near.c.max_attempts > 1,
            near.c.not_before.is_(None),
            near.c.page_count == 1,
            near.c.width * near.c.height <= MOST_PIXELS,
            near.c.media_type.startswith("image/"),
        )
        .cte("alike")
    )
    alive = worker_children.c.heartbeat_at > database_now(-LIVE_SECONDS)
    children = select(func.coalesce(func.nullif(func.count(), 0), 1)).where(alive).scalar_subquery()
    waiting = select(func.count()).select_from(alike).scalar_subquery()
    rest = bindparam("rounded_up", type_=Integer()) * (children - 1)
    mine = (waiting + rest) // children
    most = bindparam("at_most", type_=Integer())
    taken = (
        select(jobs.c.id)
        .where(jobs.c.id.in_(select(alike.c.id)), is_state(State.QUEUED))
        .order_by(jobs.c.id)
        .limit(case((mine < most, mine), else_=most))
        .with_for_update(skip_locked=True)
        .cte("taken")
    )
    return select(taken.c.id)
