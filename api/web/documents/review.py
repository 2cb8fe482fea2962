"""The review queue: the least sure lines of all documents."""

from __future__ import annotations

from flask import Blueprint, Response

from api.http import caller
from api.http.facts import facts
from api.service import listing
from api.service.parts import Parts
from api.service.review import DOUBTFUL_BELOW
from api.web.page import page
from shared import errors
from shared.keys.record import Scope


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/review`."""

    @pages.get("/review")
    @facts(Scope.SUBMIT, is_page=True)
    def review() -> Response:
        """Lines by their confidence, each with the way to where it is corrected."""
        client = caller.current()
        if not client.may(Scope.READ):  # its own lines are shown
            raise errors.MissingScope(needed=str(Scope.READ))
        return page("review.html", doubts=listing.queue(parts, client), below=DOUBTFUL_BELOW)
