"""The composition root of the worker: settings in, a Celery application out."""

from __future__ import annotations

import warnings

from celery.exceptions import SecurityWarning

from shared import queue
from shared.database import Database
from shared.migrations import check_schema
from shared.queue import JobQueue
from shared.settings import Settings, limit_native_libraries
from shared.up import broker
from worker.jobs import acknowledge, timers, watch


def create(settings: Settings) -> JobQueue:
    """Build the worker's Celery application.

    Raises:
        InvalidConfiguration: No broker is set, or the database was not migrated.
        DatabaseUnavailable: The database does not answer.
    """
    limit_native_libraries(settings)
    database = Database(settings.database, pool_size=1)
    try:
        check_schema(database)
    finally:
        database.close()  # children must not inherit a connection
    acknowledge.install()
    timers.install()
    warnings.filterwarnings(
        "ignore", category=SecurityWarning
    )  # that it is root, each time; docs/operations.md says so once
    app = queue.create_app(settings, broker.url_of(settings), role="worker")
    watch.install(app)
    app.conf.include = ["worker.jobs.tasks"]  # also what a spawned child imports
    return app


def arguments(settings: Settings) -> list[str]:
    """Return the command line of Celery's worker."""
    return [
        "--quiet",
        "worker",
        "--pool=prefork",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
        f"--queues={','.join(queue.QUEUES.values())}",
        f"--hostname=ocrelay@{settings.node_name}",
        f"--loglevel={settings.log_level}",
    ]
