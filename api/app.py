"""Composition root of the API: one Flask application over one database, one blob folder and one queue."""

from __future__ import annotations

from importlib.metadata import version
from urllib.parse import urlsplit

import structlog
from flask import Request, Response, jsonify, redirect, request
from flask_openapi3 import Info, OpenAPI

from api import (
    batches,
    deliveries,
    events,
    health,
    jobs,
    orders,
    problems,
    results,
    schemas,
    sync,
    webhook_secrets,
    webhooks,
)
from api.client_ip import client_ip
from api.service import Service
from api.waiting import Waiting
from shared import broker, errors, queue
from shared.blobs import Blobs
from shared.database import Database
from shared.settings import Settings, is_loopback
from shared.targets import Guard

DOCUMENTATION = "/docs"
BASE64_GROWTH = 4 / 3
REQUEST_OVERHEAD_BYTES = 64 * 1024
MAX_FORM_PARTS = 20
DRAINED_BYTES = 64 * 1024 * 1024
FREE_THREADS = 4
"""Threads of a process that no waiting request may hold, so that others are still answered."""


def create_app(settings: Settings) -> OpenAPI:
    """Build the application of one process from its settings. Opens no connection yet."""
    database = Database(settings.database, pool_size=settings.api_threads)
    celery = queue.create_app(settings, broker.url_of(settings), role="client")
    return app_of(
        Service(
            settings,
            database,
            Blobs(settings.blobs_dir),
            celery,
            Waiting(database, max(1, settings.api_threads - FREE_THREADS)),
            guard=Guard(settings.webhook_networks),
        )
    )


def app_of(service: Service) -> OpenAPI:
    """The application over parts that are given."""
    app = OpenAPI(
        "api",
        info=Info(title="ocrelay", version=version("ocrelay"), description="Images in, text out: Chinese and English."),
        doc_prefix=DOCUMENTATION,
        validation_error_model=schemas.Problem,
        validation_error_callback=problems.of_validation,
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.config["MAX_CONTENT_LENGTH"] = int(service.settings.max_document_bytes * BASE64_GROWTH) + REQUEST_OVERHEAD_BYTES
    app.config["MAX_FORM_PARTS"] = MAX_FORM_PARTS
    problems.register(app)
    for room in (jobs, orders, batches, results, events, sync, webhooks, webhook_secrets, deliveries, health):
        app.register_api(room.blueprint(service))
    add_documents(app)

    @app.before_request
    def bind() -> None:
        structlog.contextvars.clear_contextvars()
        address = client_ip(request, service.settings.proxies)
        if not service.settings.allow_remote_without_keys and not is_ours(request, address):
            raise errors.ForbiddenClient()

    @app.after_request
    def drain(response: Response) -> Response:
        """Read what a refused client still sends: it would see a broken connection instead of our answer."""
        if "HTTP_EXPECT" not in request.environ:
            left = DRAINED_BYTES
            while left > 0 and (chunk := request.environ["wsgi.input"].read(min(left, 65536))):
                left -= len(chunk)
        return response

    return app


def is_ours(request: Request, address: str | None) -> bool:
    """Whether a request comes from this machine and from no page of another site in a browser on it.

    Such a page can make a name of its own point at this machine, or post a form here; then Host or Origin name it.
    """
    origin = request.headers.get("Origin")
    hosts = [request.host, *([urlsplit(origin).netloc] if origin is not None else [])]
    return is_loopback(address or "localhost") and all(
        is_loopback(urlsplit(f"//{host}").hostname or "") for host in hosts
    )


def add_documents(app: OpenAPI) -> None:
    """`/openapi.json` and the way from `/docs` to the page that shows it, from this server's own files."""
    app.api_doc["components"].pop("securitySchemes")  # null where there are none, which OpenAPI does not allow

    @app.get("/openapi.json", doc_ui=False)
    def openapi_document() -> Response:
        return jsonify(app.api_doc)

    @app.get(DOCUMENTATION, doc_ui=False)
    def documentation() -> Response:
        return redirect(f"{DOCUMENTATION}/swagger")  # type: ignore[return-value]
