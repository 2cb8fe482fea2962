"""The part of an address that is an id."""

from __future__ import annotations

from werkzeug.routing import BaseConverter


class IdPart(BaseConverter):
    """Anything but `retry` and `rollback`: under these names stand, beside the jobs the order to retry many, beside the
    models the order to go back, with other methods."""

    regex = r"(?!(?:retry|rollback)\Z)[^/]+"
