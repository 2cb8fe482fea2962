"""`Idempotency-Key` on the wire: the header, what it stands for."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from flask import Request

from api.service.upload import Upload
from shared import errors
from shared.jobs.idempotency import Key

HEADER = "Idempotency-Key"
_TEXT = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")


def key_text(request: Request) -> str | None:
    """The key that a client sent, quoted or not; None where it sent none.

    Raises:
        InvalidOption: It is empty, too long, or holds other than printable ASCII; or it came twice.
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    text = given[0].strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if len(given) > 1 or not _TEXT.fullmatch(text):
        raise errors.InvalidOption(
            f"{HEADER} must come once, with 1 to 255 printable ASCII characters. A UUID is a good one.", option=HEADER
        )
    return text


def key_of(text: str | None, scope: str, uploads: Sequence[Upload], *more: str | None) -> Key | None:
    """The key with its scope and the fingerprint of what it came with; None without one."""
    if text is None:
        return None
    parts = [[upload.sha256, upload.options.model_dump(mode="json")] for upload in uploads]
    spelled = json.dumps([*more, parts], ensure_ascii=False, sort_keys=True)
    return Key(scope, text, hashlib.sha256(spelled.encode("utf-8", "surrogatepass")).hexdigest())
