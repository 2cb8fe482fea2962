"""How the service is: what waits, who reads what, how quickly, with how much room."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext

from api.http.facts import facts
from api.service.overview import overview
from api.service.parts import Parts
from api.web.page import is_part, page
from shared.keys.record import Scope

UNITS = ("B", "kB", "MB", "GB", "TB")


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/status`."""

    @pages.get("/status")
    @facts(Scope.AUDIT, is_page=True)
    def status() -> Response:
        """All of it; htmx asks for it again and again."""
        template = "operator/_status.html" if is_part() else "operator/status.html"
        return page(template, found=overview(parts), size=size, duration=duration)


def size(count: int | None) -> str:
    """So many bytes, for people."""
    if count is None:
        return "–"
    left = float(count)
    for unit in UNITS:
        if left < 1000 or unit == UNITS[-1]:
            return f"{left:.0f} {unit}" if left >= 100 or unit == "B" else f"{left:.1f} {unit}"
        left /= 1000
    raise AssertionError("the last unit holds everything")


def duration(seconds: float) -> str:
    """So long, for people: 12 s, 3:05 min, 2:10:00 h."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    if whole < 60:
        return str(gettext("%(seconds)s s", seconds=whole))
    if minutes < 60:
        spelled = f"{minutes}:{rest:02}"
        return str(gettext("%(time)s min", time=spelled))
    spelled = f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
    return str(gettext("%(time)s h", time=spelled))
