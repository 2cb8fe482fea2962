"""Models: which there are, which of them read, how far each worker child is; another one is chosen here."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for

from api.http import caller
from api.http.facts import facts
from api.service import bringing
from api.service import models as use_cases
from api.service.parts import Parts
from api.web.operator import words
from api.web.operator.trail_words import who
from api.web.page import page, see
from shared import errors
from shared.keys.record import Scope
from shared.registry.record import Role


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/models…`."""

    @pages.get("/models")
    @facts(Scope.ADMIN, is_page=True)
    def models() -> Response:
        """All models with their cards, and what each role has."""
        return page("operator/models.html", **shown(parts))

    @pages.get("/models/rollouts")
    @facts(Scope.ADMIN, is_page=True)
    def rollouts() -> Response:
        """What each role has and how far the workers are, which htmx asks for again and again; the cards if changed."""
        values = shown(parts)
        is_changed = request.args.get("seen") != values["mark"]
        return page("operator/_rollouts.html", is_changed=is_changed, **values)

    @pages.post("/models/<name>/activate")
    @facts(Scope.ADMIN, is_page=True)
    def activate_model(name: str) -> Response:
        """Let a model have a role."""
        use_cases.activate(parts, name, role_of(), caller.current())
        return see(url_for("web.models"))

    @pages.post("/models/roll-back")
    @facts(Scope.ADMIN, is_page=True)
    def roll_back_model() -> Response:
        """Give a role what it had before."""
        use_cases.roll_back(parts, role_of(), caller.current())
        return see(url_for("web.models"))


def shown(parts: Parts) -> dict[str, Any]:
    """What the templates show."""
    models, given = use_cases.overview(parts)
    by_role = {rollout.generation.role: rollout for rollout in given}
    values = {
        "models": models,
        "removable": {model.known.name for model in models if bringing.is_removable(parts, model)},
        "roles": [(role, by_role.get(role), [one for one in models if role in one.roles]) for role in Role],
        "is_rolling": any(rollout.generation.state == "rolling" for rollout in given),
        "told": words,
        "who": who,
    }
    cards = render_template("operator/_cards.html", **values)
    return values | {"mark": hashlib.sha256(cards.encode()).hexdigest()[:16]}


def role_of() -> Role:
    """The role that the form names; raises InvalidOption."""
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise errors.InvalidOption(f"role must be one of {', '.join(Role)}.", option="role") from None
