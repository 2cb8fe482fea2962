"""The addresses of the pages. A page holds nothing of anybody; what it shows it asks of the API with the user's key."""

from __future__ import annotations

from pathlib import PurePosixPath

from flask import Blueprint, Response, render_template, send_from_directory

from api.formats import table
from api.http.facts import PUBLIC, facts
from api.web import files

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
"""Nothing inline, nothing from elsewhere; images that need a key come as `blob:`. No text can become HTML."""


def blueprint() -> Blueprint:
    """The pages and their files."""
    pages = Blueprint("web", __name__)
    generation = files.generation()

    def page(name: str) -> Response:
        text = render_template("page.html", page=name, files=f"/static/{generation}", formats=" ".join(table.NAMES))
        response = Response(text, mimetype="text/html")
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = files.ASK_AGAIN
        return response

    @pages.get("/")
    @facts(PUBLIC)
    def read() -> Response:
        return page("read")

    @pages.get("/read/<job_id>")
    @facts(PUBLIC)
    def result(job_id: str) -> Response:
        del job_id  # the page reads it from its address
        return page("result")

    @pages.get("/jobs")
    @facts(PUBLIC)
    def jobs() -> Response:
        return page("jobs")

    @pages.get("/static/<version>/<path:name>")
    def file(version: str, name: str) -> Response:
        media_type = files.MEDIA_TYPES.get(PurePosixPath(name).suffix)
        response = send_from_directory(files.FOLDER, name, mimetype=media_type)
        response.headers["Cache-Control"] = files.cache_control(version, generation)
        return response

    return pages
