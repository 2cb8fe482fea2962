"""What an OpenAPI document cannot say, for schemathesis: what is an image, an address, a public webhook.

Loaded by `tests.contract.calls.run`.
"""

from __future__ import annotations

import base64
import os
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from hypothesis import strategies as st

from api.dialects.schemas import PATH
from api.formats.table import BY_NAME, DEFAULT
from api.jobs.routes import IDEMPOTENCY_KEY
from models import detector
from shared.options import MODEL_PATTERN, PAGES_PATTERN, QUALITIES
from shared.settings import Settings
from tests.unit.api.conftest import png

IMAGES = st.sampled_from([png(8, 8), png(16, 9), png(1, 1)])
MODEL = os.environ["CALLS_MODEL"]
DETECTOR = detector.DEFAULT
MODEL_PATH = str(Settings.load().models_folder / "nobody" / "model.onnx")
HOOK = "http://127.0.0.1:9/hook"
NETWORKS = st.sampled_from(["192.0.2.7", "192.0.2.0/24", "2001:db8::1", "2001:DB8::/32", "::ffff:192.0.2.7"])
NOW = datetime.now(UTC).replace(tzinfo=None)
LATELY = st.datetimes(NOW - timedelta(days=300), NOW).map(lambda moment: moment.isoformat() + "Z")

schemathesis.openapi.format("byte", IMAGES.map(lambda content: base64.b64encode(content).decode()))
schemathesis.openapi.format("binary", IMAGES)
schemathesis.openapi.format("uri", st.just(HOOK))
schemathesis.openapi.format("ip-network", NETWORKS)
schemathesis.openapi.format("date-time", LATELY)
schemathesis.openapi.media_type("application/octet-stream", IMAGES)


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: dict[str, Any]) -> None:
    """Let the models that are loaded be the only ones that can be asked for, and the only page of the images above.

    Every other name must be refused.
    """
    parts: list[tuple[str, Any]] = [("", raw_schema)]
    for name, part in parts:  # it grows meanwhile
        if isinstance(part, dict):
            if part.get("pattern") == MODEL_PATTERN:
                part["enum"] = [DETECTOR if name == "detector" else MODEL]
            if part.get("pattern") == PAGES_PATTERN:
                part["enum"] = ["1", "1-1", "1,1-1"]
            if part.get("enum") == [*QUALITIES]:
                part["enum"] = [quality for quality in QUALITIES if quality != "best"]  # its workers have no such model
            own = part["name"] if isinstance(part.get("name"), str) else name
            parts += [(own if key in ("schema", "anyOf") else key, value) for key, value in part.items()]
        elif isinstance(part, list):
            parts += [(name, value) for value in part]


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leave out what a schema cannot tell apart.

    Of `model` and `quality` one may be sent. A span must not end before it begins, and an export has no pages. Only
    some formats of a result know `layout` or `pdfa`. Of a batch there are as many names as documents, or one. An option
    may stand in the query string or in the body; both is an error. In a form every value is text: a number or nothing
    is no wrong `reference`, `model`, `detector` or `pages` there; and `metadata` is JSON there and in a query string,
    which a schema takes for parts of their own.
    """
    key = str((case.headers or {}).get("Idempotency-Key", ""))
    if key != key.strip():  # HTTP does not send the spaces around it
        return False
    body = case.body if isinstance(case.body, dict) else {}
    query = case.query or {}
    if set(query) & set(body) or {"model", "quality"} <= set(query) | set(body):
        return False
    if not _fit(body, query):
        return False
    if str(query.get("from", "")) >= str(query.get("until", "z")):
        return False
    if query.get("format", "json") != "json" and {"limit", "cursor"} & set(query):
        return False
    form = BY_NAME.get(str(query.get("format", DEFAULT.name)), DEFAULT)
    if case.method == "GET" and {"layout", "pdfa"} & set(query) - form.choices:
        return False
    if "metadata" in query or (case.media_type == "multipart/form-data" and "metadata" in body):
        return False
    texts = (body.get("reference", ""), body.get("model", ""), body.get("detector", ""), body.get("pages", ""))
    return case.media_type != "multipart/form-data" or all(isinstance(text, str) for text in texts)


def _fit(body: dict[str, Any], query: dict[str, Any]) -> bool:
    """Whether the names of a batch fit its documents, as far as both are lists."""
    names, images = body.get("filenames"), body.get("images")
    if isinstance(names, list) and isinstance(images, list):
        return len(names) == len(images) and not {"filename"} & (set(body) | set(query))
    names, files = body.get("filename"), body.get("file")
    return not (isinstance(names, list) and isinstance(files, list)) or len(names) in (0, 1, len(files))


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: object) -> None:
    """Let every webhook that looks right lead to a place that this server may reach, and every path of a model into the
    folder of models; take each good key once."""
    if re.search(IDEMPOTENCY_KEY["schema"]["pattern"], str((case.headers or {}).get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
    for part in (case.query, case.body):
        if isinstance(part, dict):
            for name in ("webhook", "url"):
                value = part.get(name)
                if isinstance(value, str) and value.startswith(("http://", "https://")) and len(value) <= 2000:
                    part[name] = HOOK
            if isinstance(part.get("path"), str) and re.search(PATH, part["path"]) and len(part["path"]) <= 4096:
                part["path"] = MODEL_PATH
