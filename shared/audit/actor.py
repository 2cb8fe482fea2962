"""Who did it: handed to every write that leaves an audit event, so that no event has to guess."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["client", "operator", "worker", "sweeper", "copy"]


@dataclass(frozen=True)
class Actor:
    """Who acts, with what key, from where. A client and the operator answer for themselves."""

    kind: Kind
    """A client over HTTP; the operator at this machine; a worker; the sweeper; a job whose result is copied."""
    name: str
    """What the trail calls it: its kind, but ``NODE/TASK`` of a worker and the id of a job that is copied."""
    key_id: str | None = None
    """The API key that it uses; None: none."""
    address: str | None = None
    """Where it acts from, as far as it is stored; None: this machine itself, or unknown."""

    def for_job(self, *, key_id: str | None, address: str | None) -> Actor:
        """This actor at work on a job that was submitted so: what is no order of anybody is done for the submitter."""
        if self.kind in ("client", "operator"):
            return self
        return replace(self, key_id=key_id, address=address)


OPERATOR = Actor("operator", "operator")
"""Somebody with a shell on this machine."""
SWEEPER = Actor("sweeper", "sweeper")
"""The sweeper, by age, by a lease that ran out, or by the answer of a receiver."""


def client(key_id: str | None, address: str | None) -> Actor:
    """Whoever asks over HTTP."""
    return Actor("client", "client", key_id, address)


def worker(owner: str) -> Actor:
    """A worker (``NODE/TASK``), or all of a node."""
    return Actor("worker", owner)


def copy_of(job_id: str) -> Actor:
    """The job whose result another one is given."""
    return Actor("copy", job_id)
