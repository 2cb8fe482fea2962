"""Somebody who does things in tests where it does not matter who."""

from __future__ import annotations

from shared.audit import actor

CLIENT = actor.client(None, "127.0.0.1")
