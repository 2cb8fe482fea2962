"""One client for each channel of kombu 5.7, which makes a new one for every command: that costs more than the command.

A client holds no connection of its own; it takes one out of its pool for a command, and the pool stays kombu's.
"""

from __future__ import annotations

from typing import Any

from kombu.transport import redis as transport

_channel: Any = transport.Channel
_make = _channel._create_client


def _create_client(self: Any, asynchronous: bool = False) -> Any:
    """Return the client that is kept for the pool of the channel; its event loop has one anyway."""
    if asynchronous:
        return _make(self, asynchronous=True)
    kept = vars(self).get("_kept_client")
    if kept is None or kept.connection_pool is not self.pool:
        kept = self._kept_client = _make(self)
    return kept


def install() -> None:
    """Let every Redis channel of this process keep its client, Sentinel's too."""
    _channel._create_client = _create_client
