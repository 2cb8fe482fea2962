"""API keys: what they are, how they are made, found and revoked. Read it so: ``keys.create(connection, …)``."""

from shared.keys.store import any_exists, create, generation, list_keys, load, note_use, revoke, rotate

__all__ = ["any_exists", "create", "generation", "list_keys", "load", "note_use", "revoke", "rotate"]
