"""How often a client may ask: flask-limiter over our broker, so that all processes count together.

Each limit is a fixed window that begins with the first request in it: one counter in the broker, in the broker's time.
While the broker is away each process counts for itself, in memory, so a client gets at most the limit times the number
of processes. All limits are off by default.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
import structlog
from flask import Flask, Response, current_app, request
from flask_limiter import ApplicationLimit, Limiter, RateLimitExceeded, RequestLimit
from redis.backoff import NoBackoff
from redis.retry import Retry

from api.access.client_ip import bucket
from api.access.rules import come_again, need_of
from api.http import caller
from api.http.facts import PUBLIC, facts_of
from api.service.parts import Parts
from shared import clock, errors
from shared.queue import KEY_PREFIX
from shared.settings import Settings, parse_limits

log = structlog.get_logger(__name__)

EXTENSION = "ocrelay_limiter"
STORAGE_ERRORS = (redis.RedisError, OSError)
PATIENCE_SECONDS = 0.25
"""For an answer of the broker; a request never waits longer for it."""


def register(app: Flask, parts: Parts) -> None:
    """Let the application count requests, if there is any limit."""
    wanted = limits_of(parts.settings)
    if not wanted:
        return
    logging.getLogger("flask-limiter").setLevel(logging.WARNING)  # below, it names whom it stops, by the whole address
    uri, options = storage_of(parts.settings.redis_url)
    limiter = SteadyLimiter(
        key_func=lambda: "",
        app=app,
        application_limits=list(wanted),
        storage_uri=uri,
        storage_options=options,
        strategy="fixed-window",
        in_memory_fallback_enabled=True,
        headers_enabled=False,
        key_prefix="",
    )
    app.extensions[EXTENSION] = limiter
    app.register_error_handler(RateLimitExceeded, lambda _error: come_again(exceeded(limiter.current_limits)))
    app.after_request(lambda response: tell(limiter, response))


class SteadyLimiter(Limiter):
    """Counts in memory from the moment on that the broker fails, for all requests of that moment.

    flask-limiter 4.1 does so for the one that notices first; others that wait for the broker then get its error.
    """

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        try:
            super()._check_request_limit(callable_name, in_middleware)
        except STORAGE_ERRORS:
            self.context.seen_limits.clear()
            super()._check_request_limit(callable_name, in_middleware)


def limits_of(settings: Settings) -> list[ApplicationLimit]:
    """The limits that are set, each for submissions or for the rest, and by key or by address."""
    wanted = (
        (settings.submit_limit_per_key, "submit-key", key_or_none, is_submission),
        (settings.submit_limit_per_ip, "submit-ip", address, is_submission),
        (settings.other_limit_per_key, "other-key", key_or_none, is_other),
        (settings.other_limit_per_ip, "other-ip", address, is_other),
    )
    return [
        ApplicationLimit(limit_provider=text, key_function=who, scope=name, exempt_when=exempt(who, applies))
        for text, name, who, applies in wanted
        if parse_limits(text)
    ]


def exempt(who: Callable[[], str], applies: Callable[[], bool]) -> Callable[[], bool]:
    """Whether a limit says nothing about the request."""
    return lambda: not (who() and applies())


def key_or_none() -> str:
    """The API key of the client; empty without."""
    return caller.current().key_id or ""


def address() -> str:
    """The address of the client, or its network."""
    return bucket(caller.current().address)


def is_submission() -> bool:
    """Whether the request makes work. What does not has limits of its own: asking for a result costs no submission."""
    found = facts_of(current_app, request)
    return found is not None and found.makes_work


def is_other() -> bool:
    """Whether it is any other request that is not for everybody."""
    found = facts_of(current_app, request)
    return found is not None and not found.makes_work and need_of(request, found) != PUBLIC


def storage_of(redis_url: str | None) -> tuple[str, dict[str, Any]]:
    """Where requests are counted: in the broker, if it is a Redis or Valkey; else in each process for itself."""
    parts = urlsplit(redis_url or "")
    if parts.scheme == "redis+socket":  # as kombu spells it
        uri = f"redis+unix://{parts.path}?db={parse_qs(parts.query).get('virtual_host', ['0'])[0]}"
    elif parts.scheme in ("redis", "rediss"):
        uri = str(redis_url)
    else:
        log.warning(
            "The broker cannot count requests, so each process of the API does it for itself. A Redis or Valkey could.",
            event_name="limits.in_memory",
            scheme=parts.scheme,
        )
        return "memory://", {}
    return uri, {
        "key_prefix": f"{KEY_PREFIX}limits",
        "socket_timeout": PATIENCE_SECONDS,
        "socket_connect_timeout": PATIENCE_SECONDS,
        "retry": Retry(NoBackoff(), 0),  # redis-py's own default tries again for seconds
    }


def charge(more: int) -> None:
    """Count more than the one submission that the request was counted as: it holds so many documents more.

    Raises:
        TooManyRequests: The limits do not allow them; nothing more is counted then.
    """
    limiter: Limiter | None = current_app.extensions.get(EXTENSION)
    if limiter is None or more <= 0:
        return
    try:
        found = [limit for limit in limiter.current_limits if not _allows(limiter, limit, more)]
        if found:
            raise exceeded(found)
        for limit in limiter.current_limits:
            limiter.limiter.hit(limit.limit, *limit.request_args, cost=more)
    except STORAGE_ERRORS as error:
        log.warning("The documents of a batch were not counted.", event_name="limits.not_counted", error=repr(error))


def exceeded(limits: list[RequestLimit]) -> errors.TooManyRequests:
    """What to tell a client whom a limit stops."""
    broken = [limit for limit in limits if limit.breached] or limits
    try:
        seconds = max(_seconds_left(limit) for limit in broken)
    except STORAGE_ERRORS:
        seconds = 1
    return errors.TooManyRequests(retry_after_seconds=seconds, violated_policies=[name_of(limit) for limit in broken])


def tell(limiter: Limiter, response: Response) -> Response:
    """`RateLimit-Policy` and `RateLimit` on every answer that a limit was asked about.

    Source: draft-ietf-httpapi-ratelimit-headers-11.
    """
    limits = limiter.current_limits
    try:
        policies = [f'"{name_of(limit)}";q={limit.limit.amount};w={limit.limit.get_expiry()}' for limit in limits]
        states = [f'"{name_of(limit)}";r={max(0, limit.remaining)};t={_seconds_left(limit)}' for limit in limits]
    except STORAGE_ERRORS:  # the broker died a moment ago; the next request counts in memory
        return response
    if limits:
        response.headers["RateLimit-Policy"] = ", ".join(policies)
        response.headers["RateLimit"] = ", ".join(states)
    return response


def name_of(limit: RequestLimit) -> str:
    """The name of a limit on the wire: what is limited, by what, and the seconds of its window."""
    return f"{limit.request_args[-1]}-{limit.limit.get_expiry()}"


def _allows(limiter: Limiter, limit: RequestLimit, more: int) -> bool:
    return limiter.limiter.test(limit.limit, *limit.request_args, cost=more)


def _seconds_left(limit: RequestLimit) -> int:
    return max(1, math.ceil(limit.window.reset_time - clock.now().timestamp()))
