"""The news that a job has ended, over a channel of the broker: whoever waits for it looks into the database at once.

It is a hint and nothing more. Nobody keeps it, it may be lost or wrong, and a broker that is away, or is no Redis or
Valkey, brings none: then the database is asked more often.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared import clock
from shared.queue import KEY_PREFIX, Breaker

log = structlog.get_logger(__name__)

CHANNEL = KEY_PREFIX + "ended"
PATIENCE_SECONDS = 0.25
"""For an answer of the broker; nobody waits longer for it."""
_ERRORS = (redis.RedisError, OSError)


def client_of(broker_url: str) -> redis.Redis | None:
    """Return a client for the broker's channels, which has asked nothing yet; None: it has none."""
    parts = urlsplit(broker_url)
    if parts.scheme == "redis+socket":  # as kombu spells it
        broker_url = f"unix://{parts.path}?db={parse_qs(parts.query).get('virtual_host', ['0'])[0]}"
    elif parts.scheme not in ("redis", "rediss"):
        return None
    options: dict[str, Any] = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    return redis.Redis.from_url(broker_url, retry=Retry(NoBackoff(), 0), decode_responses=True, **options)


class Teller:
    """Tells that jobs have ended, and waits for no answer. After a failure it is silent for some seconds, as publishing
    is. For one thread.
    """

    def __init__(self, client: redis.Redis | None) -> None:
        self._client = client
        self._breaker = Breaker()
        self._line: Any = None

    def tell(self, job_ids: Sequence[str]) -> None:
        """Say that jobs have ended, once that is committed, in one message. Never raises."""
        if self._client is None or self._breaker.is_open() or not job_ids:
            return
        try:
            if self._line is None:
                self._line = _without_answers(self._client)
            self._line.send_command("PUBLISH", CHANNEL, " ".join(job_ids))
        except _ERRORS as error:
            self._breaker.trip()
            if self._line is not None:
                self._line.disconnect()
                self._line = None
            log.debug("Nobody was told that jobs have ended.", event_name="news.not_told", error=repr(error))


class Listener:
    """Hears which jobs have ended. For one thread."""

    def __init__(self, client: redis.Redis | None) -> None:
        self._client = client
        self._breaker = Breaker()
        self._channel: Any = None

    def open(self) -> bool:
        """Begin to listen, or go on; from the first True on nothing is missed. False: there is no news now."""
        if self._channel is not None:
            return True
        if self._client is None or self._breaker.is_open():
            return False
        client: Any = self._client
        channel = client.pubsub()
        try:
            channel.subscribe(CHANNEL)
            confirmed = channel.get_message(timeout=PATIENCE_SECONDS)
        except _ERRORS as error:
            confirmed = None
            log.debug("The broker brings no news.", event_name="news.not_heard", error=repr(error))
        if confirmed is None:
            self._breaker.trip()
            _close(channel)
            return False
        self._channel = channel
        return True

    def next(self, seconds: float) -> list[str]:
        """Wait for the next jobs that end, so many seconds at most; none: none did, or the broker is gone."""
        if self._channel is None:
            clock.sleep(seconds)
            return []
        try:
            message = self._channel.get_message(ignore_subscribe_messages=True, timeout=seconds)
        except _ERRORS:
            self._breaker.trip()
            self.close()
            return []
        return str(message["data"]).split() if message else []

    def close(self) -> None:
        """Listen no longer."""
        if self._channel is not None:
            _close(self._channel)
            self._channel = None


def _without_answers(client: redis.Redis) -> Any:
    """Return a connection on which the broker answers nothing; raises RedisError where it knows no such thing."""
    line: Any = client.connection_pool.make_connection()
    try:
        line.connect()
        line.send_command("CLIENT", "REPLY", "ON")
        line.read_response()
        line.send_command("CLIENT", "REPLY", "OFF")
    except BaseException:
        line.disconnect()
        raise
    return line


def _close(channel: Any) -> None:
    with suppress(*_ERRORS):
        channel.close()
