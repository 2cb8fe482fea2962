"""A watch over the main process: where it has ceased to take messages, it connects to the broker anew.

Between the broker and the children a message passes through many hands of kombu, Celery and billiard. One that none of
them minds any more keeps its place for ever, and a worker whose places are all kept so takes no job, though it lives.
What is given up with the connection is only hints: the sweeper publishes again what waits in the database.
"""

from __future__ import annotations

from typing import Any

import redis
import structlog
from celery import bootsteps

log = structlog.get_logger(__name__)

RUN: int = vars(bootsteps)["RUN"]
LOOK_SECONDS = 2.0
PATIENCE = 15
"""So many looks in a row must find it ceased; a child that died is waited for ten seconds, the broker for fifteen."""


class Watch(bootsteps.StartStopStep):
    """A step of Celery's consumer, started anew with each connection."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, consumer: Any, **_: object) -> None:
        super().__init__(consumer)
        self._timer: Any = None
        self._asked_at: float | None = None
        self._ceased = 0

    def start(self, consumer: Any) -> None:
        """Look from now on. Only the event loop of a Redis or Valkey can be looked at."""
        self._ceased = 0
        if consumer.hub is not None and hasattr(consumer.task_consumer.channel, "_brpop_sent_at"):
            self._timer = consumer.timer.call_repeatedly(LOOK_SECONDS, self._look, (consumer,))

    def stop(self, consumer: Any) -> None:  # noqa: ARG002  (Celery passes it)
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, consumer: Any) -> None:
        """Give up the connection that no message has come through for too long.

        Raises:
            redis.ConnectionError: To Celery's event loop, which then connects anew.
        """
        if consumer.blueprint.state != RUN or self._is_fine(consumer):
            self._ceased = 0
            return
        self._ceased += 1
        if self._ceased >= PATIENCE:
            log.error(
                "The worker had ceased to take messages, and connects to the broker anew. No job is lost.",
                event_name="worker.ceased",
                **_account(consumer),
            )
            raise redis.ConnectionError("the worker had ceased to take messages")

    def _is_fine(self, consumer: Any) -> bool:
        """Whether each message in hand is a job of the pool or waits to be one, and one works or more are asked for."""
        jobs = [job for job in consumer.pool._pool._cache.values() if not job.ready()]
        if _held(consumer) > len(jobs) + len(consumer.controller.semaphore._waiting):
            return False
        asked_at, self._asked_at = self._asked_at, consumer.task_consumer.channel._brpop_sent_at
        return asked_at != self._asked_at or any(job._accepted for job in jobs)


def _held(consumer: Any) -> int:
    """How many messages were delivered and not yet acknowledged."""
    qos = consumer.task_consumer.channel.qos
    return len(qos._delivered) - len(qos._dirty)


def _account(consumer: Any) -> dict[str, object]:
    """What the parties know at this moment, for whoever looks for the fault."""
    pool, channel = consumer.pool._pool, consumer.task_consumer.channel
    return {
        "held": _held(consumer),
        "places": channel.qos.prefetch_count,
        "asking": channel._in_poll is not None and channel._in_poll is not False,
        "jobs": [f"{job!r} written to {job._write_to!r}" for job in pool._cache.values()],
        "outbound": len(pool.outbound_buffer),
        "busy": sorted(pool._busy_workers),
        "writing": sorted(pool._active_writes),
        "children": [f"{child.pid} in {child.inqW_fd} out {child.outqR_fd}" for child in pool._pool],
        "semaphore": repr(consumer.controller.semaphore),
        "readers": sorted(consumer.hub.readers),
        "writers": sorted(consumer.hub.writers),
        "sockets": {fd: name for fd, (_, name) in channel.connection.cycle._fd_to_chan.items()},
        "paused": sorted(channel.connection.cycle._paused_brpop),
    }


def install(app: Any) -> None:
    """Let every worker of this application be watched."""
    app.steps["consumer"].add(Watch)
