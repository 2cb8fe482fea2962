"""What is true of a route, said at the route itself; access, limits, the log and the OpenAPI document ask here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias, TypeVar

from flask import Flask, Request

from shared.keys.record import Scope

PUBLIC: Final = "public"
METRICS: Final = "metrics"
"""As the setting says."""

Need: TypeAlias = Scope | Literal["public", "metrics"]
View = TypeVar("View", bound=Callable[..., Any])

_ATTRIBUTE = "ocrelay_facts"


@dataclass(frozen=True)
class Facts:
    """What is true of one route.

    Attributes:
        scope: What a key must allow; or that nobody needs one, or that the setting decides.
        makes_work: A request counts as a submission.
        is_quiet: Machines ask every few seconds; its lines are of level DEBUG while they succeed.
        takes_upload: It takes documents, and those that it refuses are counted.
        is_page: A browser shows it to people, who are signed in by a cookie; a key in a header opens it not.
    """

    scope: Need
    makes_work: bool = False
    is_quiet: bool = False
    takes_upload: bool = False
    is_page: bool = False


UNSTATED = Facts(Scope.ADMIN)
"""What holds for a route that states nothing; a test finds those that were forgotten."""


def facts(
    scope: Need,
    *,
    makes_work: bool = False,
    is_quiet: bool = False,
    takes_upload: bool = False,
    is_page: bool = False,
) -> Callable[[View], View]:
    """State the facts of a route. Stands below `@routes.get(...)`, which wraps the view and keeps its attributes."""
    stated = Facts(scope, makes_work, is_quiet, takes_upload, is_page)

    def state(view: View) -> View:
        setattr(view, _ATTRIBUTE, stated)
        return view

    return state


def facts_of(app: Flask, request: Request) -> Facts | None:
    """The facts of the route that a request goes to; None: nothing is here, and the answer will say so."""
    if request.url_rule is None:
        return None
    found = stated_by(app, request.url_rule.endpoint) or UNSTATED
    if request.method == "OPTIONS":  # Flask answers it itself, with the methods
        return replace(found, scope=PUBLIC, makes_work=False, takes_upload=False)
    return found


def stated_by(app: Flask, endpoint: str) -> Facts | None:
    """What the view of an endpoint states; None: it was forgotten, or is no view of ours."""
    found: Facts | None = getattr(app.view_functions.get(endpoint), _ATTRIBUTE, None)
    return found


def of_routes(app: Flask) -> Iterator[tuple[str, Facts | None]]:
    """Each route of the application, as `GET /v1/jobs/<job_id>`, and what it states."""
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            yield f"{method} {rule.rule}", stated_by(app, rule.endpoint)


def of_operations(app: Flask) -> dict[tuple[str, str], Facts]:
    """What holds for each call, by path and method as the OpenAPI document spells them: `/v1/jobs/{job_id}`, `get`."""
    found = {}
    for route, stated in of_routes(app):
        method, _, rule = route.partition(" ")
        found[re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule), method.lower()] = stated or UNSTATED
    return found
