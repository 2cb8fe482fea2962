"""`/docs`: Swagger UI, from the files of the package flask-openapi3-swagger, on a page that runs no inline script."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flask_openapi3_swagger
from flask import Blueprint, Flask, Response, jsonify, redirect, send_from_directory

from api.http.facts import PUBLIC, facts

PREFIX = "/docs"
FILES = Path(flask_openapi3_swagger.__file__).parent / "templates" / "swagger"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing inline, nothing from elsewhere; Swagger UI brings its icons as `data:` URIs."""
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<title>ocrelay</title>
<link rel="icon" href="swagger/images/swagger.svg">
<link rel="stylesheet" href="swagger/css/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="swagger/js/swagger-ui-bundle.js"></script>
<script src="start.js"></script>
</body>
</html>
"""
START = """window.onload = function () {
  SwaggerUIBundle({url: "../openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});
};
"""


def register(app: Flask, describe: Callable[[], dict[str, Any]]) -> None:
    """Add the page, its files, and `/openapi.json`, which it shows: what `describe` returns."""
    pages = Blueprint("documentation", __name__)

    @pages.get("/openapi.json")
    @facts(PUBLIC)
    def document() -> Response:
        return jsonify(describe())

    @pages.get("/favicon.ico")
    @facts(PUBLIC, is_quiet=True)
    def icon() -> Response:
        return guarded(Response((FILES / "images" / "swagger.svg").read_bytes(), mimetype="image/svg+xml"))

    @pages.get(PREFIX)
    @facts(PUBLIC)
    def start() -> Response:
        return redirect(f"{PREFIX}/swagger")  # type: ignore[return-value]

    @pages.get(f"{PREFIX}/swagger")
    def page() -> Response:
        return guarded(Response(PAGE, mimetype="text/html"))

    @pages.get(f"{PREFIX}/start.js")
    def script() -> Response:
        return guarded(Response(START, mimetype="text/javascript"))

    @pages.get(f"{PREFIX}/swagger/<path:name>")
    def file(name: str) -> Response:
        return guarded(send_from_directory(FILES, name))

    app.register_blueprint(pages)


def guarded(response: Response) -> Response:
    """Let a browser load the page's own files, and keep them until they change."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-cache"
    return response
