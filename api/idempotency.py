"""`Idempotency-Key` on the wire: the header, what it stands for, and which keys this process is just working on."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask import Request

from api.intake import Upload
from shared import errors
from shared.idempotency import Key

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


class InFlight:
    """The keys whose first request this process has not finished.

    Between processes the database decides: the later transaction waits, sees the key, and answers what the first got.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str]] = set()

    @contextmanager
    def hold(self, key: Key | None) -> Iterator[None]:
        """Hold the key for as long as the block runs; raises IdempotencyInFlight where another request holds it."""
        if key is None:
            yield
            return
        name = (key.scope, key.text)
        with self._lock:
            if name in self._keys:
                raise errors.IdempotencyInFlight()
            self._keys.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._keys.discard(name)
