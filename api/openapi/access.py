"""What the OpenAPI document says of keys: what is true at this moment. Without any key nobody is asked for one."""

from __future__ import annotations

from typing import Any

from flask import Flask

from api.access.key_ring import KeyRing
from api.http.facts import METRICS, PUBLIC, Facts, of_operations
from shared import errors
from shared.keys.record import Scope
from shared.settings import Settings

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key, `ocr_…`."},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same in another header."},
}


def described(app: Flask, document: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the document with the scope that each operation needs, where keys are needed at all."""
    ring: KeyRing = app.extensions["key_ring"]
    try:
        if ring.is_empty():
            return document
    except errors.DatabaseUnavailable:
        return document
    stated = of_operations(app)
    paths = {
        path: {
            method: {**operation, "security": security_of(stated[path, method], settings)}
            for method, operation in of_path.items()
        }
        for path, of_path in document["paths"].items()
    }
    return {**document, "components": {**document["components"], "securitySchemes": SCHEMES}, "paths": paths}


def security_of(facts: Facts, settings: Settings) -> list[dict[str, list[str]]]:
    """The alternatives for one operation; none for what is public."""
    needed = facts.scope
    if needed == PUBLIC or (needed == METRICS and settings.metrics_access != "admin"):
        return []
    scope = str(Scope.ADMIN if needed == METRICS else needed)
    return [{name: [scope]} for name in SCHEMES]
