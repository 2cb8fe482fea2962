"""Somebody who does things in tests where it does not matter who."""

from __future__ import annotations

import base64

from shared.audit import actor
from shared.webhooks.box import Box

CLIENT = actor.client(None, "127.0.0.1")

SECRETS_KEY = base64.b64encode(bytes(32)).decode()
BOX = Box(lambda: [bytes(32)])
"""Opens webhook secrets with the key above."""
