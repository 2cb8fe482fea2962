"""What a model of the registry is, and what it is to be active."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a model is."""

    RECOGNISER = "recogniser"
    """It reads lines."""
    DETECTOR = "detector"
    """It finds them."""


class Role(StrEnum):
    """What a model does in every worker child."""

    RECOGNISER = "recogniser"
    """It reads every line."""
    STRONGER = "stronger"
    """It reads again what leaves a doubt."""
    DETECTOR = "detector"
    """It finds the lines of pages."""

    @property
    def kind(self) -> Kind:
        """What a model must be to have it."""
        return Kind.DETECTOR if self is Role.DETECTOR else Kind.RECOGNISER


class RolloutState(StrEnum):
    """How far a generation has come."""

    ROLLING = "rolling"
    """Children take it up; one that cannot holds it."""
    SETTLED = "settled"
    """All children that lived had taken it up."""
    HELD = "held"
    """A child could not take it up, so the one before it came back."""


class TakeupState(StrEnum):
    """How far one worker child is with a generation."""

    WAITING = "waiting"
    """It has not taken it up yet."""
    TAKEN = "taken"
    """It reads with it."""
    REFUSED = "refused"
    """It could not take it up, and keeps what it had."""


@dataclass(frozen=True)
class KnownModel:
    """One row of ``models``."""

    name: str
    """What results call it."""
    kind: str
    """``recogniser`` or ``detector``."""
    version: str
    """Of the weights."""
    sha256: str
    """Of its file."""
    card: dict[str, Any]
    """What it says of itself, without the charset, and what it must read in the golden lines."""
    path: str
    """Where the file lay on the machine that noted it."""
    added_at: datetime
    """When it was noted; the database's clock, UTC."""
    added_by: str
    """Who noted it, as the audit trail names actors."""


@dataclass(frozen=True)
class Generation:
    """One row of ``model_generations``: what a role was given. Rows are added; only their state changes."""

    number: int
    """Rises over all roles; the highest of a role counts."""
    role: Role
    """What it is for."""
    model: str | None
    """Name of the model; None: the one that the settings name."""
    sha256: str | None
    """Of its file; None with the settings' model."""
    state: RolloutState
    """How far it has come."""
    reason: str | None
    """Why it was held."""
    created_at: datetime
    """When it was ordered; the database's clock, UTC."""
    created_by: str
    """Who ordered it, as the audit trail names actors."""


@dataclass(frozen=True)
class Takeup:
    """What one worker child did with one generation: a row of ``model_takeups``, or that there is none yet."""

    child: str
    """``NODE/PID``."""
    state: TakeupState
    """How far it is."""
    reason: str | None = None
    """Why it refused."""
    at: datetime | None = None
    """When it did; the database's clock, UTC. None while it waits."""
