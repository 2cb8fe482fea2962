"""Which models there are and which of them read. Read it so: ``registry.activate(connection, …)``."""

from shared.registry.catalogue import find, forget, list_models, note
from shared.registry.rollout import activate, current, get, hold, newest, newest_of, roll_back, settle
from shared.registry.takeups import by_child, forget_old, refuse, take_up

__all__ = [
    "activate",
    "by_child",
    "current",
    "find",
    "forget",
    "forget_old",
    "get",
    "hold",
    "list_models",
    "newest",
    "newest_of",
    "note",
    "refuse",
    "roll_back",
    "settle",
    "take_up",
]
