"""Runs the deliveries that are due: one loop that talks to the database, and a thread for each attempt under way.

Any number may run, in any number of sweepers. The loop claims a few deliveries and commits, so that every attempt is on
record before its POST; what comes back is written down in the next round, together with the next claims.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections import Counter
from typing import Any, NamedTuple

import structlog

from shared import clock, errors
from shared.database import Database
from shared.settings import Settings
from shared.telemetry import trace
from shared.telemetry.trace import Trace
from shared.webhooks import deliveries, endpoints
from shared.webhooks.box import Box
from shared.webhooks.record import Delivery, DeliveryState, Outcome
from shared.webhooks.targets import Guard
from worker.webhooks.message import body_of, headers_of
from worker.webhooks.post import Sender

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.25
LEASE_MARGIN_SECONDS = 15.0
"""A lease lasts for the longest attempt and so much more: to write its outcome down while the database is busy."""
STOP_SECONDS = 3.0
"""Attempts under way get so long when the sweeper stops; the others are given back."""
TIDY_SECONDS = 5.0
PURGE_SECONDS = 60.0
THROTTLE_STATUSES = (429, 502, 503, 504)
MAX_THROTTLE_SECONDS = 3600.0


class Done(NamedTuple):
    """An attempt that came back."""

    delivery: Delivery
    outcome: Outcome


class Deliverer:
    """Delivers until it is told to stop."""

    def __init__(self, database: Database, settings: Settings, sender: Sender | None = None) -> None:
        """Describe the deliverer; nothing happens yet.

        Args:
            database: Where the deliveries are; not shared with the sweeper, so that neither waits for the other.
            settings: Limits, the server's URL, and where webhooks may go.
            sender: Makes the POST; one by the settings, unless a test brings another.
        """
        self._database = database
        self._settings = settings
        self._sender = sender or Sender(
            Guard(settings.webhook_networks), timeout_seconds=settings.webhook_timeout_seconds
        )
        self._box = Box.of(settings)
        self._stopping = threading.Event()
        self._answers: queue.SimpleQueue[Done] = queue.SimpleQueue()
        self._done: list[Done] = []
        self._running: dict[str, Delivery] = {}
        self._throttled: dict[str, float] = {}
        self._tidied = self._purged = clock.monotonic()

    def start(self) -> threading.Thread:
        """Deliver in a thread of its own, until ``stop``."""
        thread = threading.Thread(target=self.run, name="deliverer", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """End after the current round."""
        self._stopping.set()

    def run(self) -> None:
        """Deliver until ``stop``; then give the attempts under way a moment, and give back what is left."""
        while not self._stopping.is_set():
            is_busy = self._round_in_any_case()
            self.collect(0 if is_busy else LOOK_SECONDS)
        deadline = clock.monotonic() + STOP_SECONDS
        while self._running and clock.monotonic() < deadline:
            self.collect(LOOK_SECONDS)
        self._give_back()

    def round(self) -> bool:
        """Write down what came back, claim what is due, begin its attempts. True: there may be more at once."""
        self._tidy()
        free = self._settings.webhook_threads - len(self._running)
        wanted = self._choose(free) if free > 0 else []
        if not wanted and not self._done:
            return False
        with self._database.write() as connection:
            ended = [(done, deliveries.finish(connection, *done)) for done in self._done]
            claimed = deliveries.claim(connection, wanted, lease_seconds=self._lease_seconds)
            secrets = endpoints.secrets_of(connection, {delivery.endpoint_id for delivery in claimed}, box=self._box)
        self._done.clear()
        for done, state in ended:
            report(done, state)
        for delivery in claimed:
            self._running[delivery.id] = delivery
            arguments = (delivery, secrets[delivery.endpoint_id])
            with trace.bound(Trace(delivery.request_id), **_bound(delivery)):
                attempt = contextvars.copy_context().run
            threading.Thread(target=attempt, args=(self._attempt, *arguments), name="delivery", daemon=True).start()
        return bool(claimed)

    @property
    def has_news(self) -> bool:
        """Whether something came back that is not written down yet."""
        return bool(self._done)

    @property
    def _lease_seconds(self) -> float:
        return self._settings.webhook_timeout_seconds + LEASE_MARGIN_SECONDS

    def _round_in_any_case(self) -> bool:
        try:
            return self.round()
        except errors.DatabaseUnavailable as error:
            log.warning(
                "The database is away; deliveries go on when it is back.",
                event_name="deliver.failed",
                error=str(error),
            )
        except Exception:
            log.exception("A round of deliveries broke off; the next one tries again.", event_name="deliver.broke_off")
            self._done = [Done(done.delivery, bare(done.outcome)) for done in self._done]
        self._stopping.wait(1)
        return False

    def _choose(self, free: int) -> list[str]:
        """Ids that are due, and of no lane more than may run at once: a slow receiver keeps its own lane busy only."""
        lanes = Counter(delivery.lane for delivery in self._running.values())
        now = clock.monotonic()
        self._throttled = {lane: until for lane, until in self._throttled.items() if until > now}
        most = self._settings.webhook_concurrency
        busy = {lane for lane, count in lanes.items() if count >= most} | self._throttled.keys()
        with self._database.read() as connection:
            found = deliveries.due(connection, limit=free, busy_lanes=busy)
        chosen = []
        for delivery_id, lane in found:
            if lanes[lane] < most:
                lanes[lane] += 1
                chosen.append(delivery_id)
        return chosen

    def _attempt(self, delivery: Delivery, secrets: list[str]) -> None:
        """One POST; the boundary of its thread."""
        if not secrets:  # its endpoint was deleted just now, and the delivery cancelled with it
            self._answers.put(Done(delivery, Outcome(error="interrupted")))
            return
        try:
            body = body_of(delivery, base_url=self._settings.base_url)
            headers = headers_of(delivery.id, body, secrets, at=clock.now())
            outcome = self._sender.post(delivery.url, body.encode(), headers)
        except Exception as error:
            log.exception(
                "An attempt broke off; it is tried again by the schedule.",
                event_name="delivery.broke_off",
            )
            outcome = Outcome(error="internal_error", detail=type(error).__name__)
        self._answers.put(Done(delivery, outcome))

    def collect(self, seconds: float) -> None:
        """Take what came back, for the next round to write down; wait so long for the first of it."""
        try:
            while True:
                done = self._answers.get(block=seconds > 0, timeout=seconds or None)
                seconds = 0
                self._running.pop(done.delivery.id, None)
                self._done.append(done)
                if done.outcome.status in THROTTLE_STATUSES and done.outcome.retry_after_seconds:
                    pause = min(done.outcome.retry_after_seconds, MAX_THROTTLE_SECONDS)
                    self._throttled[done.delivery.lane] = clock.monotonic() + pause
        except queue.Empty:
            pass

    def _tidy(self) -> None:
        now = clock.monotonic()
        if now - self._tidied >= TIDY_SECONDS:
            self._tidied = now
            expire_deliveries(self._database)
        if self._settings.webhook_retention_days and now - self._purged >= PURGE_SECONDS:
            self._purged = now
            with self._database.write() as connection:
                deliveries.purge(connection, older_than_seconds=self._settings.webhook_retention_days * 86400)

    def _give_back(self) -> None:
        try:
            with self._database.write() as connection:
                for done in self._done:
                    deliveries.finish(connection, *done)
                deliveries.release(connection, self._running.values())
        except errors.DatabaseUnavailable:
            log.warning("The database is away; the leases run out by themselves.", event_name="deliver.not_released")


def expire_deliveries(database: Database) -> list[str]:
    """Take back the deliveries of sweepers that died. Looks before it locks: a round without news writes nothing."""
    with database.read() as connection:
        if not deliveries.has_expired(connection):
            return []
    with database.write() as connection:
        expired = deliveries.expire(connection)
    if expired:
        log.warning("Attempts were broken off; they are made again.", event_name="deliver.expired", ids=expired)
    return expired


def bare(outcome: Outcome) -> Outcome:
    """The part of an outcome that any database can store, in case that the rest was what it refused."""
    return Outcome(status=outcome.status, error=outcome.error, duration_ms=outcome.duration_ms)


def report(done: Done, state: DeliveryState | None) -> None:
    """Log what became of one attempt."""
    delivery, outcome = done
    bound = log.bind(request_id=delivery.request_id, status=outcome.status, error=outcome.error, **_bound(delivery))
    if state is DeliveryState.SUCCEEDED:
        bound.info("A webhook was delivered.", event_name="delivery.succeeded", duration_ms=outcome.duration_ms)
    elif state is DeliveryState.FAILED:
        bound.warning(
            "A webhook could not be delivered and is given up. Redeliver it when the receiver is well again.",
            event_name="delivery.failed",
        )
    elif state is DeliveryState.QUEUED:
        bound.info("A webhook was not taken; it is tried again.", event_name="delivery.retried")
    else:
        bound.warning("An attempt came back too late; its delivery is not ours any more.", event_name="delivery.lost")


def _bound(delivery: Delivery) -> dict[str, Any]:
    """What the log lines of an attempt hold."""
    return {
        "delivery_id": delivery.id,
        "job_id": delivery.job_id,
        "endpoint_id": delivery.endpoint_id,
        "attempt": delivery.attempt,
    }
