"""The states of a job and every move between them, as data: the code checks itself against it, the docs show it.

``python -m shared.jobs.states`` prints the diagram and the table of docs/architecture.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.audit.trail import Event
from shared.jobs.record import State


@dataclass(frozen=True)
class Move:
    """One way in which a job changes its state."""

    name: str
    """The function of ``shared.jobs`` that does it."""
    source: State | None
    """Where it starts; None: there is no job yet."""
    target: State | None
    """Where it ends; None: there is no job any more."""
    event: str
    """The audit event that is written in the same transaction."""
    when: str
    """Under which condition, in words."""


MOVES = (
    Move("submit", None, State.QUEUED, Event.SUBMITTED, "a document is accepted"),
    Move(
        "submit",
        None,
        State.SUCCEEDED,
        Event.SUCCEEDED,
        "the same document was read before: its result is copied",
    ),
    Move("claim", State.QUEUED, State.RUNNING, Event.CLAIMED, "it is due; the attempt is counted"),
    Move("claim", State.RUNNING, State.RUNNING, Event.CLAIMED, "its lease has run out and attempts are left"),
    Move("succeed", State.RUNNING, State.SUCCEEDED, Event.SUCCEEDED, "the lease token is the current one"),
    Move("fail", State.RUNNING, State.QUEUED, Event.RETRIED, "a retry can help and attempts are left"),
    Move("fail", State.RUNNING, State.FAILED, Event.FAILED, "no retry can help, or it was the last attempt"),
    Move("release", State.RUNNING, State.QUEUED, Event.RELEASED, "its worker crashed or stopped in order"),
    Move("release", State.RUNNING, State.FAILED, Event.FAILED, "the last attempt (`poison_job`), or out of time"),
    Move("expire", State.RUNNING, State.QUEUED, Event.EXPIRED, "its lease has run out"),
    Move("expire", State.RUNNING, State.FAILED, Event.FAILED, "the same at the last attempt (`poison_job`)"),
    Move("lapse", State.QUEUED, State.FAILED, Event.FAILED, "its deadline has passed (`deadline_exceeded`)"),
    Move("lapse", State.RUNNING, State.FAILED, Event.FAILED, "the same; its worker notices within a second"),
    Move("cancel", State.QUEUED, State.CANCELLED, Event.CANCELLED, "somebody asks for it"),
    Move("cancel", State.RUNNING, State.CANCELLED, Event.CANCELLED, "the same; its worker notices within a second"),
    Move("retry", State.FAILED, State.QUEUED, Event.REQUEUED, "somebody asks for it; it gets new attempts"),
    Move("retry", State.CANCELLED, State.QUEUED, Event.REQUEUED, "the same"),
    Move("erase", State.SUCCEEDED, None, Event.DELETED, "somebody asks for it, or by age; the trail stays"),
    Move("erase", State.FAILED, None, Event.DELETED, "the same"),
    Move("erase", State.CANCELLED, None, Event.DELETED, "the same; `DELETE` cancels an open job first"),
)


def sources(name: str, target: State | None) -> tuple[State, ...]:
    """Return the states from which a move may lead to the target.

    Raises:
        ValueError: There is no such move.
    """
    found = tuple(move.source for move in MOVES if (move.name, move.target) == (name, target) and move.source)
    if not found:
        raise ValueError(f"no move {name!r} leads to {target}")
    return found


def diagram() -> str:
    """Return the states and moves as a Mermaid diagram."""
    names: dict[tuple[str, str], list[str]] = {}
    for move in MOVES:
        ends = (move.source or "[*]", move.target or "[*]")
        names.setdefault(ends, []).append(move.name)
    arrows = [f"    {source} --> {target}: {', '.join(found)}" for (source, target), found in names.items()]
    return "\n".join(["stateDiagram-v2", *arrows])


def table() -> str:
    """Return the moves as a Markdown table."""
    rows = [
        f"| `{move.name}` | {_name(move.source)} | {_name(move.target)} | `{move.event}` | {move.when} |"
        for move in MOVES
    ]
    return "\n".join(["| move | from | to | audit event | when |", "|---|---|---|---|---|", *rows])


def _name(state: State | None) -> str:
    return f"`{state}`" if state else ""


if __name__ == "__main__":
    print(f"```mermaid\n{diagram()}\n```\n\n{table()}")
