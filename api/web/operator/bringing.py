"""Models come and go: packs are installed, files of one's own added, both removed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from flask import Blueprint, Response, request, url_for

from api.http import caller
from api.http.facts import facts
from api.service import bringing as use_cases
from api.service.parts import Parts
from api.web.page import page, see
from api.web.words import error_title
from shared import errors
from shared.keys.record import Scope

MOST_BYTES = 512 * 1024 * 1024
"""`ocrelay models add` takes a little less, and says so."""


def add(pages: Blueprint, parts: Parts) -> None:
    """Add `/models/bring…` and `/models/NAME/remove`."""

    @pages.before_request
    def allow_large() -> None:
        """A model is larger than a document."""
        if request.endpoint == "web.add_model":
            request.max_content_length = MOST_BYTES

    @pages.get("/models/bring")
    @facts(Scope.ADMIN, is_page=True)
    def bring_models() -> Response:
        """What can be installed, and the form for a file of one's own."""
        return shown(parts)

    @pages.post("/models/bring/install")
    @facts(Scope.ADMIN, is_page=True)
    def install_model() -> Response:
        """Install a pack."""
        try:
            use_cases.install(parts, request.form.get("name", ""), caller.current())
        except errors.ModelRefused as error:
            return shown(parts, error)
        return see(url_for("web.models"))

    @pages.post("/models/bring/add")
    @facts(Scope.ADMIN, is_page=True)
    def add_model() -> Response:
        """Add a file of one's own, with its card if it has one."""
        file, card, form = request.files.get("file"), request.files.get("card"), request.form
        if file is None or not file.filename:
            raise errors.MissingFile()

        def save(folder: Path) -> None:
            file.save(folder / "model.onnx")
            if card is not None and card.filename:
                card.save(folder / "card.json")

        name = form.get("name", "").strip() or PurePosixPath(file.filename.replace("\\", "/")).stem
        try:
            use_cases.add(parts, save, name, caller.current(), is_detector=form.get("kind") == "detector")
        except errors.ModelRefused as error:
            return shown(parts, error, name=name)
        return see(url_for("web.models"))

    @pages.post("/models/<name>/remove")
    @facts(Scope.ADMIN, is_page=True)
    def remove_model(name: str) -> Response:
        """Take one away that was brought in."""
        use_cases.remove(parts, name, caller.current())
        return see(url_for("web.models"))


def shown(parts: Parts, error: errors.ModelRefused | None = None, name: str = "") -> Response:
    """The page, with what was wrong with what it was sent."""
    values = {"problem": error, "title": error and error_title(error.code), "name": name}
    packs = [(pack, use_cases.is_installed(parts, pack)) for pack in use_cases.packs()]
    folder = parts.settings.models_folder
    return page("operator/bring.html", error.http_status if error else 200, packs=packs, folder=folder, **values)
