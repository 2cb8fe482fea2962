"""Which models there are and which of them read. Read it so: ``registry.activate(connection, …)``."""

from shared.registry.catalogue import find, forget, list_models, note
from shared.registry.rollout import activate, current, get, hold, roll_back, settle

__all__ = ["activate", "current", "find", "forget", "get", "hold", "list_models", "note", "roll_back", "settle"]
