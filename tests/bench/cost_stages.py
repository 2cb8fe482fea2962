"""Which stage of a job a stack belongs to: the first frame from the leaf on that a rule knows."""

from __future__ import annotations

READING = "reading"
OTHER = "other"

RULES: tuple[tuple[str, str], ...] = (
    ("sampler", "(the bench itself)"),
    ("tests/bench/sampled", "(the bench itself)"),
    ("native", "threads of libraries"),
    ("shared/uploads/header.py", "checks of the upload"),
    ("shared/uploads/pictures.py", "checks of the upload"),
    ("shared/uploads/blobs.py", "blob"),
    ("shared/queue.py:publish", "publish"),
    ("api/service/waiting.py:_final", "wait: asking the database"),
    ("api/service/waiting.py", "wait: threads"),
    ("api/service/capacity.py:admit", "SQL: is there room"),
    ("api/service/accept.py:_store", "SQL: accept"),
    ("api/service/accept.py:replay", "SQL: idempotency"),
    ("shared/jobs/queries.py:get", "SQL: look at the job"),
    ("api/service/jobs.py:job_of", "SQL: look at the job"),
    ("api/service/jobs.py:_find_of", "SQL: look at the job"),
    ("api/service/jobs.py:job_after", "SQL: look at the job"),
    ("api/http/intake.py", "parse and options"),
    ("api/access/", "access and limits"),
    ("api/http/request_log.py:end", "log and counters"),
    ("shared/telemetry/", "log and counters"),
    ("api/jobs/routes.py:job_response", "JSON of the answer"),
    ("api/http/security_headers.py", "answer headers"),
    ("worker/jobs/presence.py", "beat of the child"),
    ("worker/models/", "which model is active"),
    ("worker/jobs/children.py", "which model is active"),
    ("worker/jobs/readers.py:want", "options of the job"),
    ("shared/jobs/life.py:claim", "SQL: claim"),
    ("shared/jobs/life.py:succeed", "SQL: result"),
    ("shared/jobs/life.py:add", "SQL: result"),
    ("worker/jobs/work.py:_write_down", "SQL: result"),
    ("worker/jobs/lease.py", "lease"),
    ("worker/jobs/work.py:work", "claim's transaction and log"),
    ("worker/jobs/attempt.py", "attempt: lease, log and times"),
    ("worker/jobs/", "task"),
    ("worker/sweep/", "sweep"),
    ("shared/database.py", "SQL: other"),
    ("kombu/", "Celery: broker"),
    ("redis/", "Celery: broker"),
    ("billiard/", "Celery: pool"),
    ("celery/", "Celery: task and loop"),
    ("gunicorn/", "HTTP server"),
    ("api/server/", "HTTP server"),
    ("werkzeug/", "Flask"),
    ("flask", "Flask"),
)


def stage_of(stack: list[str]) -> str:
    """The stage of a stack, leaf first.

    Reading is whatever lies below it, so it is looked for first; of the other rules the one nearest to the leaf counts.
    """
    if any("worker/jobs/readers.py:read" in frame for frame in stack):
        return READING
    for frame in stack:
        for part, stage in RULES:
            if part in frame:
                return stage
    return OTHER


def is_ours(frame: str, root: str) -> bool:
    """Whether a frame is code of this repository."""
    return frame.startswith(root) and "/site-packages/" not in frame


def short(frame: str, root: str) -> str:
    """A frame without the folders that all have in common."""
    return frame.rsplit("/site-packages/", maxsplit=1)[-1].removeprefix(root).lstrip("/")
