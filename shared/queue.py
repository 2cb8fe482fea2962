"""The queue: how Celery is set up in every process, and how a job id gets into the broker.

A message holds the job id and nothing else. It is a hint to look into the database; losing it costs seconds, no job.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import redis
import structlog
from celery import Celery
from kombu import Queue

from shared import clock, kombu_client
from shared.options import DEFAULT_PRIORITY, PriorityName
from shared.settings import Settings

log = structlog.get_logger(__name__)

TASK_NAME = "ocrelay.recognise"
QUEUES: dict[PriorityName, str] = {"high": "ocr.high", "normal": "ocr", "bulk": "ocr.bulk"}
HEADERS = {"lang": "py", "task": TASK_NAME, "argsrepr": "()", "kwargsrepr": "{}", "ignore_result": True}
NO_MORE = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
KEY_PREFIX = "ocr:"
EPOCH_KEY = KEY_PREFIX + "epoch"
BREAK_SECONDS = 5.0
"""After a failed publish the broker is left alone for so long; the sweeper publishes what was skipped."""


class Breaker:
    """Remembers a failure for a while, so that a dead broker costs one slow submission and not every one."""

    def __init__(self, seconds: float = BREAK_SECONDS) -> None:
        self._seconds = seconds
        self._open_until = 0.0

    def is_open(self) -> bool:
        """Whether the broker is left alone right now."""
        return clock.monotonic() < self._open_until

    def trip(self) -> None:
        """Leave the broker alone from now on."""
        self._open_until = clock.monotonic() + self._seconds


class JobQueue(Celery):
    """Celery, and the breaker that every publish through it asks."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.breaker = Breaker()


def create_app(settings: Settings, broker_url: str, *, role: Literal["client", "worker"]) -> JobQueue:
    """Build the Celery application of one process.

    Args:
        settings: Time limit, child count and start method come from here.
        broker_url: ``redis://…``, ``rediss://…`` or ``redis+socket:///PATH?virtual_host=0``.
        role: A client gives up on a silent broker within two seconds; a worker is patient.
    """
    kombu_client.install()
    app = JobQueue("ocrelay", set_as_current=False)
    app.conf.update(celery_config(settings, broker_url, role=role))
    return app


def celery_config(settings: Settings, broker_url: str, *, role: Literal["client", "worker"]) -> dict[str, Any]:
    """Return the Celery settings. SQL decides about retries, so every redelivery knob of Celery is off."""
    patient = role == "worker"
    visibility_seconds = max(3600, int(settings.job_time_limit_seconds * 2) + 60)
    return {
        "broker_url": broker_url,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # the default gives up for good after 100 tries
        "broker_channel_error_retry": True,
        "broker_connection_timeout": 5 if patient else 1,
        "broker_pool_limit": 10,
        "broker_pool_acquire_timeout": 2,  # the default waits for ever
        "broker_transport_options": {
            "visibility_timeout": visibility_seconds,
            "unacked_restore_interval": 30,
            "unacked_restore_throttle": 1,
            "health_check_interval": 15,
            "socket_timeout": 15 if patient else 2,
            "socket_connect_timeout": 5 if patient else 1,
            "socket_keepalive": True,
            "queue_order_strategy": "priority",
            "global_keyprefix": KEY_PREFIX,
            **({} if patient else {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}),
        },
        "visibility_timeout": visibility_seconds,
        "task_publish_retry": False,
        "task_default_queue": QUEUES["normal"],
        "task_queues": [Queue(name) for name in QUEUES.values()],
        "task_create_missing_queues": False,
        "task_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "result_backend": None,
        "task_acks_late": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "task_reject_on_worker_lost": False,
        "task_retry_on_worker_lost": False,
        "task_track_started": False,
        "task_time_limit": settings.job_time_limit_seconds,
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": False,
        "worker_concurrency": settings.workers or "auto",
        "worker_pool_start_method": settings.pool_start_method,
        "worker_proc_alive_timeout": 60,
        "worker_max_memory_per_child": 1_500_000,  # KB, peak
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_enable_prefetch_count_reduction": True,
        "worker_soft_shutdown_timeout": 0,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_hijack_root_logger": False,
    }


def publish(app: JobQueue, job_id: str, priority: PriorityName = DEFAULT_PRIORITY) -> bool:
    """Tell the workers to look at a job. Never raises, and never blocks for more than about two seconds.

    Returns:
        False when the broker did not take the message; the sweeper will publish it again.
    """
    breaker = app.breaker
    if breaker.is_open():
        return False
    try:
        _send(app, job_id, priority)
    except Exception as error:  # noqa: BLE001  (the boundary to the broker: the job is safe in the database)
        breaker.trip()
        log.warning(
            "The broker took no message; the sweeper will publish the job again. Check that the broker runs.",
            event_name="publish.failed",
            job_id=job_id,
            error=repr(error),
        )
        return False
    return True


def priority_of(delivery_info: Mapping[str, Any] | None) -> PriorityName:
    """Return the priority of the queue that a message came from."""
    name = (delivery_info or {}).get("routing_key")
    return next((priority for priority, queue in QUEUES.items() if queue == name), DEFAULT_PRIORITY)


def depth(app: Celery) -> int | None:
    """Return how many messages wait in all queues together, or None when the broker does not answer."""
    try:
        with _channel(app) as channel:
            return sum(_message_count(channel, name) for name in QUEUES.values())
    except Exception as error:  # noqa: BLE001  (the boundary to the broker: not to know is an answer, too)
        log.warning("The broker does not answer. Check that it runs.", event_name="depth.failed", error=repr(error))
        return None


def epoch(app: Celery) -> str | None:
    """Return the random mark that the broker keeps, making one where there is none. See ``worker.sweep.broker_epoch``.

    Returns:
        None when the broker does not answer, or is no Redis or Valkey.
    """
    try:
        with _channel(app) as channel:
            client = getattr(channel, "client", None)
            if not isinstance(client, redis.Redis):
                return None
            call: Any = redis.Redis.execute_command  # kombu's own puts a prefix before the keys of some commands only
            call(client, "SET", EPOCH_KEY, secrets.token_hex(16), "NX")
            found = call(client, "GET", EPOCH_KEY)
            return found.decode() if isinstance(found, bytes) else None
    except Exception as error:  # noqa: BLE001  (the boundary to the broker, as above)
        log.warning("The broker does not answer. Check that it runs.", event_name="epoch.failed", error=repr(error))
        return None


@contextmanager
def _channel(app: Celery) -> Iterator[Any]:
    """A channel of a connection that is kept, as for publishing: the sweeper asks every second."""
    with app.producer_or_acquire() as producer:
        yield producer.channel


def _send(app: Celery, job_id: str, priority: PriorityName) -> None:
    """Publish what ``app.send_task`` would, without what it makes anew for every message: half of its cost.

    Workers and the sweeper declare the queues.

    Source: Celery's message protocol, version 2.
    """
    message_id = str(uuid.uuid4())
    with app.producer_or_acquire() as producer:
        producer.publish(
            ((), {"job_id": job_id}, NO_MORE),
            routing_key=QUEUES[priority],
            serializer="json",
            retry=False,
            headers=HEADERS | {"id": message_id, "root_id": message_id},
            correlation_id=message_id,
        )


def _message_count(channel: Any, name: str) -> int:
    # Not passive: kombu forgets the key prefix when it asks whether a queue exists, and would always say no.
    return int(channel.queue_declare(queue=name, durable=True).message_count)
