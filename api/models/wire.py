"""Models and rollouts as JSON."""

from __future__ import annotations

from typing import Any

from api.service.models import Model, Rollout
from shared.clock import timestamp


def model_document(model: Model) -> dict[str, Any]:
    """A model without its rollouts."""
    known = model.known
    return {
        "name": known.name,
        "kind": known.kind,
        "version": known.version,
        "sha256": known.sha256,
        "licence": known.card.get("licence") or None,
        "source": known.card.get("source") or None,
        "characters": known.card.get("characters"),
        "added_at": timestamp(known.added_at),
        "added_by": known.added_by,
        "roles": [str(role) for role in model.roles],
        "workers": model.workers,
    }


def rollout_document(rollout: Rollout) -> dict[str, Any]:
    """What a role was given, child by child."""
    one = rollout.generation
    return {
        "generation": one.number,
        "role": str(one.role),
        "model": one.model,
        "sha256": one.sha256,
        "state": str(one.state),
        "reason": one.reason,
        "current": rollout.is_current,
        "created_at": timestamp(one.created_at),
        "created_by": one.created_by,
        "children": [
            {
                "child": child.child,
                "state": str(child.state),
                "reason": child.reason,
                "at": timestamp(child.at),
            }
            for child in rollout.children
        ],
    }
