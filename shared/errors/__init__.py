"""Every error of ocrelay, in one tree.

A class carries what the outside needs to know: a stable ``code``, the HTTP status, whether trying the same again can
help (``retryable``), and the ``phase`` in which it arises. Its docstring is the default message and ends with the
way out. The names say what happened, so they do without the suffix "Error".
"""

# ruff: noqa: F403, F405
from __future__ import annotations

from shared.errors.access import *
from shared.errors.base import *
from shared.errors.body import *
from shared.errors.document import *
from shared.errors.job import *
from shared.errors.model import *
from shared.errors.protocol import *
from shared.errors.request import *
from shared.errors.service import *
from shared.errors.webhook import *


def by_code(code: str) -> type[OcrelayError]:
    """Return the class with this code: what a stored failure was; OcrelayError where the code is not known."""
    waiting = [OcrelayError]
    while waiting:
        found = waiting.pop()
        if found.__dict__.get("code") == code:
            return found
        waiting.extend(found.__subclasses__())
    return OcrelayError
