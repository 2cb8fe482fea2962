"""A repair of kombu 5.7 for brokers that die while every child is busy.

kombu takes a message off its list of unfinished ones only after the broker has confirmed the acknowledgement. When
the broker is away at that moment, the message stays on the list for ever; once all places are taken so, the worker
waits for a free place, never reads from the broker again, and so never notices that its connection is gone.

The database knows what is finished, so here the place is free in any case. If the broker still holds the message, it
delivers it once more after the visibility timeout, and the claim refuses it.
"""

from __future__ import annotations

from typing import Any

import structlog
from kombu.transport import redis as transport
from kombu.transport import virtual

log = structlog.get_logger(__name__)


class ForgivingQoS(transport.QoS):
    """Frees the place of a message also when the broker cannot be told."""

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge a message."""
        try:
            super().ack(delivery_tag)
        except self._connection_errors:
            self._forget(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message back or drop it."""
        try:
            super().reject(delivery_tag, requeue=requeue)
        except self._connection_errors:
            self._forget(delivery_tag)

    @property
    def _connection_errors(self) -> tuple[type[Exception], ...]:
        channel: Any = self.channel
        errors: tuple[type[Exception], ...] = channel.connection_errors
        return errors

    def _forget(self, delivery_tag: str) -> None:
        virtual.QoS.ack(self, delivery_tag)
        log.info("The broker was away when a message was done.", event_name="broker.not_acknowledged")


def install() -> None:
    """Make every Redis channel of this process forgiving."""
    channel: Any = transport.Channel
    channel.QoS = ForgivingQoS
