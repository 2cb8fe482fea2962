"""All pages. Each module of `PAGES` adds the addresses of one."""

from __future__ import annotations

from flask import Blueprint

from api.service.parts import Parts
from api.web import files, page, preferences, sign_in
from api.web.documents import batches, downloads, jobs, read, result, review, sent
from api.web.operator import audit, bringing, deliveries, endpoints, keys, models, status

PAGES = (
    read,
    sent,
    result,
    downloads,
    jobs,
    review,
    sign_in,
    preferences,
    models,
    bringing,
    keys,
    endpoints,
    deliveries,
    batches,
    audit,
    status,
)


def blueprint(parts: Parts) -> Blueprint:
    """The pages and their files, bound to the process's parts."""
    pages = Blueprint("web", __name__, template_folder="templates")
    for module in PAGES:
        module.add(pages, parts)
    page.register(pages, parts, files.add(pages))  # last: its check reads forms, whose limits pages raise before
    return pages
