"""What Celery calls: the one task, and the signals around the life of a child. The work is in ``work.py``."""

from __future__ import annotations

from typing import Any, Literal

import structlog
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Task, shared_task, signals

from shared import errors, jobs, queue
from shared.database import Database
from shared.settings import Settings
from shared.telemetry import logs, spans
from worker.jobs import children
from worker.jobs.work import ModelsChanged, work

log = structlog.get_logger(__name__)

FOLLOWS = 10
"""So many activations are followed for one job; one of a model that cannot be taken up counts twice or three times."""


@shared_task(name=queue.TASK_NAME, bind=True)
def recognise(self: Task[Any, Any], job_id: str) -> None:
    """Look at a job. The message is only a hint, so whatever happens here, it is acknowledged and gone."""
    child = children.current()
    recognizer, place = child.ready()
    if recognizer is None:  # a child that answered at once would take one message after the other from all who can
        recognizer, place = child.wait_for_model()
    if recognizer is None:
        log.warning(
            "Without a model no job is taken; another child may have one. Run `ocrelay doctor`.",
            event_name="job.no_model",
            job_id=job_id,
        )
        queue.publish(self.app, job_id, queue.priority_of(self.request.delivery_info))  # type: ignore[arg-type]
        return
    try:
        for _ in range(FOLLOWS):
            try:
                work(job_id, recognizer, place, owner=f"{child.node}/{self.request.id}")
                return
            except ModelsChanged:
                recognizer, place = child.follow()
                assert recognizer is not None
        log.warning(
            "Models are activated faster than this child follows; the sweeper publishes the job again.",
            event_name="job.models_changed",
            job_id=job_id,
        )
    except errors.DatabaseUnavailable as error:
        log.warning(
            "The job could not be claimed; the sweeper publishes it again. Check the database.",
            event_name="job.claim_failed",
            job_id=job_id,
            error=str(error),
        )


@signals.setup_logging.connect
def set_up_logs(**_: object) -> None:
    """Keep Celery from setting up logs its own way."""
    logs.set_up(Settings.load())


@signals.worker_process_init.connect
def start_child(**_: object) -> None:
    """Make what must not be inherited: connections, the model, the threads."""
    settings = Settings.load()
    spans.set_up(settings, "worker")
    children.start_current(settings)


@signals.worker_process_shutdown.connect
def stop_child(**_: object) -> None:
    """Take the child off the list of the living."""
    children.stop_current()
    spans.stop()


@signals.task_failure.connect
def release_lost(task_id: str, exception: BaseException, **_: object) -> None:
    """In the main process: give back the job of a child that died or ran out of time, within a second or so.

    It may be called twice for one death; the second finds nothing. The connection is opened for this only: children
    that are forked later must not inherit one.
    """
    if not isinstance(exception, WorkerLostError | TimeLimitExceeded):
        return
    settings = Settings.load()
    database = Database(settings.database, pool_size=1)
    try:
        with database.write() as connection:
            reason: Literal["crash", "time limit"] = (
                "crash" if isinstance(exception, WorkerLostError) else jobs.TIME_LIMIT
            )
            released = jobs.release(connection, owner=f"{settings.node_name}/{task_id}", reason=reason)
    except errors.DatabaseUnavailable as error:
        log.warning("A lost job could not be given back; its lease runs out.", event_name="job.lost", error=str(error))
    else:
        log.warning(
            "A worker child died, and its job is tried again; or it ran out of time, and its job failed.",
            event_name="child.died",
            reason=str(exception),
            job_ids=released,
        )
    finally:
        database.close()
