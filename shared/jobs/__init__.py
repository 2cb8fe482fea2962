"""A job: what it is, how its state moves, and what is asked about it.

The door to every write of a job's state. Every write is a compare-and-set: it names the state (and the lease token) it
starts from, and zero rows changed is a named outcome (``None`` or ``False``), never an error. Read it as sentences:
``jobs.claim(connection, job_id, …)``.
"""

from shared.jobs.company import is_sociable
from shared.jobs.control import Failed, cancel, ended_before, erase, failed, retry
from shared.jobs.life import Rows, claim, claim_like, fail, heartbeat, submit, submit_copy, succeed
from shared.jobs.queries import (
    backlog,
    counts,
    equal_success,
    final_among,
    get,
    has_waited,
    is_held,
    is_state,
    list_jobs,
    needed_uploads,
    open_count,
    open_of_batch,
    waiting_count,
    with_position,
)
from shared.jobs.record import Job, State, Submission
from shared.jobs.recovery import TIME_LIMIT, expire, has_expired, has_lapsed, lapse, release, release_node

__all__ = [
    "TIME_LIMIT",
    "Failed",
    "Job",
    "Rows",
    "State",
    "Submission",
    "backlog",
    "cancel",
    "claim",
    "claim_like",
    "counts",
    "ended_before",
    "equal_success",
    "erase",
    "expire",
    "fail",
    "failed",
    "final_among",
    "get",
    "has_expired",
    "has_lapsed",
    "has_waited",
    "heartbeat",
    "is_held",
    "is_sociable",
    "is_state",
    "lapse",
    "list_jobs",
    "needed_uploads",
    "open_count",
    "open_of_batch",
    "release",
    "release_node",
    "retry",
    "submit",
    "submit_copy",
    "succeed",
    "waiting_count",
    "with_position",
]
