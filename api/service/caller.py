"""Who asks, and what is theirs. Without API keys everything is everybody's."""

from __future__ import annotations

from dataclasses import dataclass

from shared.audit.actor import Actor, client
from shared.keys.record import ApiKey, Scope


@dataclass(frozen=True)
class Caller:
    """The client of one request."""

    address: str | None
    """Where it asks from, for limits; neither stored nor logged."""
    shown_address: str | None
    """The same, as far as the operator wants to know it."""
    key: ApiKey | None = None
    """Its API key; None: there are no keys, or the route needs none."""

    @property
    def key_id(self) -> str | None:
        """Id of its key."""
        return self.key.id if self.key else None

    @property
    def actor(self) -> Actor:
        """The same for the audit trail."""
        return client(self.key_id, self.shown_address)

    @property
    def scope_of_idempotency(self) -> str:
        """Whose Idempotency-Keys it uses."""
        return f"key:{self.key.id}" if self.key else f"ip:{self.shown_address}"

    @property
    def reads_of(self) -> str | None:
        """The key whose jobs, batches and deliveries it may see; None: all."""
        return self._owner(Scope.AUDIT)

    @property
    def changes_of(self) -> str | None:
        """The key whose jobs and deliveries it may change; None: all."""
        return self._owner(Scope.ADMIN)

    def is_stranger_to(self, key_id: str | None) -> bool:
        """Whether what this key submitted is another's, though it may be allowed to see it."""
        return self.key is not None and self.key.id != key_id

    def may(self, scope: Scope) -> bool:
        """Whether it may do what needs a scope; without keys everybody who is served may do everything."""
        return self.key is None or self.key.may(scope)

    def _owner(self, scope_of_all: Scope) -> str | None:
        return None if self.may(scope_of_all) else self.key_id


NOBODY = Caller(None, None)
"""For work that no client asked for."""
