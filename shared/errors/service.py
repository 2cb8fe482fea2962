"""The service cannot answer now, or cannot start."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.base import OcrelayError


class Internal(OcrelayError):
    """The server made a mistake. Try again, and report it with the `request_id`."""

    code = "internal_error"


class Saturated(OcrelayError):
    """Too many jobs are waiting. Try again later, or add workers."""

    code = "saturated"
    http_status = 503
    retryable = True
    phase = "request"


class NoWorkers(OcrelayError):
    """Jobs have been waiting for long and no worker was heard of. Try again later; the operator may start a worker."""

    code = "no_workers"
    http_status = 503
    retryable = True
    phase = "request"


class StillRunning(OcrelayError):
    """The job has not ended in the time that this call waits. Look at it under the address in `Location`."""

    code = "still_running"
    http_status = 504
    retryable = True
    phase = "request"


class DatabaseUnavailable(OcrelayError):
    """The database does not answer. Try again in a moment; the operator may look at OCRELAY_DATABASE_URL."""

    code = "database_unavailable"
    http_status = 503
    retryable = True


class StorageFull(DatabaseUnavailable):
    """The server's disk is full, so nothing was accepted. Try again later; the operator must make room."""

    code = "storage_full"
    http_status = 507


class NoLiveWorker(OcrelayError):
    """No worker child of this host was heard of lately. Look into the worker's log, and start it again."""

    code = "no_live_worker"
    phase = "start"


class NoLiveSweeper(OcrelayError):
    """No sweeper of this host did a round lately. Look into its log, and start it again."""

    code = "no_live_sweeper"
    phase = "start"


class InvalidConfiguration(OcrelayError):
    """The settings do not fit together. Correct the named OCRELAY_ variable and start again."""

    code = "invalid_configuration"
    phase = "start"


class AlreadyRunning(InvalidConfiguration):
    """Another `ocrelay up` works on this data directory. Stop it, or choose another directory with --data."""

    code = "already_running"
