"""The part of an address that is an id."""

from __future__ import annotations

from werkzeug.routing import BaseConverter


class IdPart(BaseConverter):
    """Anything but `retry`: beside the jobs, under that name, stands the order to retry many, with other methods."""

    regex = r"(?!retry\Z)[^/]+"
