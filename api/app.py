"""Composition root of the API: one Flask application over one database, one blob folder and one queue."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from flask import Response, request
from flask_openapi3 import Info, OpenAPI

from api.access import limits, refusals, rules
from api.audit import routes as audit
from api.dialects import original, reload
from api.http import answers, body, problems, request_log, security_headers
from api.http.counters import HttpMetrics
from api.http.form import FormRequest
from api.http.id_path import IdPart
from api.jobs import batch_orders, batches, control, corrections, events, page_images, results
from api.jobs import routes as jobs
from api.metrics import health
from api.metrics import routes as metrics
from api.models import routes as models
from api.openapi import access as access_document
from api.openapi import description, documentation
from api.service.parts import Parts
from api.service.waiting import Waiting
from api.web import languages
from api.web import routes as web
from api.webhooks import deliveries, endpoints, secrets
from shared import errors, news, queue
from shared.database import Database
from shared.settings import Settings
from shared.up import broker
from shared.uploads.store import open_uploads
from shared.webhooks.targets import Guard

BASE64_GROWTH = 4 / 3
REQUEST_OVERHEAD_BYTES = 64 * 1024
MAX_FORM_PARTS = 20
DRAINED_BYTES = 64 * 1024 * 1024
FREE_THREADS = 4
"""Threads of a process that no waiting request may hold, so that others are still answered."""


def create_app(settings: Settings, metrics_folder: Path | None = None) -> OpenAPI:
    """Build the application of one process from its settings. Opens no connection yet.

    Args:
        settings: Of all processes.
        metrics_folder: Where the processes of one server count together; None: there is one process only.
    """
    database = Database(settings.database, pool_size=settings.api_threads)
    celery = queue.create_app(settings, broker.url_of(settings), role="client")
    return app_of(
        Parts(
            settings,
            database,
            open_uploads(settings),
            celery,
            Waiting(
                database,
                max(1, settings.api_threads - FREE_THREADS),
                news.Listener(news.client_of(broker.url_of(settings))),
            ),
            guard=Guard(settings.webhook_networks),
        ),
        HttpMetrics(metrics_folder),
    )


def app_of(parts: Parts, counters: HttpMetrics | None = None) -> OpenAPI:
    """The application over parts that are given."""
    counters = counters or HttpMetrics()
    app = OpenAPI(
        "api",
        info=Info(title="ocrelay", version=version("ocrelay"), description="Images in, text out: Chinese and English."),
        doc_ui=False,  # its pages need inline scripts; ours is api/openapi/documentation.py
        validation_error_model=answers.Problem,
        validation_error_callback=problems.of_validation,
    )
    app.request_class = FormRequest
    app.url_map.converters["default"] = IdPart
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = int(parts.settings.max_document_bytes * BASE64_GROWTH) + REQUEST_OVERHEAD_BYTES
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS
    problems.register(app)
    for room in (
        jobs,
        control,
        batches,
        batch_orders,
        results,
        page_images,
        corrections,
        events,
        original,
        reload,
        models,
    ):
        app.register_api(room.blueprint(parts))
    for room in (endpoints, secrets, deliveries, audit, health):
        app.register_api(room.blueprint(parts))
    app.register_api(metrics.blueprint(parts, counters))
    languages.register(app)
    app.register_blueprint(web.blueprint(parts))
    add_documents(app, parts.settings)
    app.wsgi_app = request_log.RequestLog(app.wsgi_app, counters)  # type: ignore[method-assign]

    rules.register(app, parts)
    limits.register(app, parts)
    refusals.register(app, parts)

    security_headers.register(app)
    body.register(app)

    @app.after_request
    def drain(response: Response) -> Response:
        """Read what a refused client still sends: it would see a broken connection instead of our answer."""
        if "HTTP_EXPECT" not in request.environ:
            left = DRAINED_BYTES
            with suppress(errors.RequestError):  # it is answered already, and will not be read again
                while left > 0 and (chunk := request.environ["wsgi.input"].read(min(left, 65536))):
                    left -= len(chunk)
        return response

    return app


def add_documents(app: OpenAPI, settings: Settings) -> None:
    """`/openapi.json` and the way from `/docs` to the page that shows it, from this server's own files."""
    app.api_doc["components"].pop("securitySchemes")  # null where there are none, which OpenAPI does not allow

    description.complete(app, app.api_doc)
    documentation.register(app, lambda: access_document.described(app, app.api_doc, settings))
