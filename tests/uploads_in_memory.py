"""A store of uploads that forgets everything with its process."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

from shared import clock, errors


class UploadsInMemory:
    """An `UploadStore` in two dictionaries."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[bytes, float]] = {}
        self._aside: dict[str, tuple[bytes, float]] = {}

    def put(self, content: bytes, sha256: str | None = None) -> str:
        sha256 = _named(sha256 or hashlib.sha256(content).hexdigest())
        self._kept[sha256] = (content, clock.now().timestamp())
        return sha256

    def keep(self, sha256: str, content: bytes) -> None:
        if not self.exists(sha256):
            self.put(content, sha256)

    def exists(self, sha256: str) -> bool:
        return _named(sha256) in self._kept

    def get(self, sha256: str) -> bytes:
        found = self._kept.get(_named(sha256)) or self._aside.get(sha256)
        if found is None:
            raise errors.DocumentMissing(sha256=sha256)
        if hashlib.sha256(found[0]).hexdigest() != sha256:
            raise errors.DocumentChanged(sha256=sha256)
        return found[0]

    def discard(self, sha256: str, is_needed: Callable[[], bool]) -> bool:
        if _named(sha256) in self._kept:
            self._aside[sha256] = self._kept.pop(sha256)
        if is_needed():
            self.bring_back(sha256)
            return False
        return self._aside.pop(sha256, None) is not None

    def bring_back(self, sha256: str) -> None:
        if _named(sha256) in self._aside:
            self._kept[sha256] = self._aside.pop(sha256)

    def stored(self, prefix: str, *, before: float) -> Iterator[tuple[str, float]]:
        found = {**self._aside, **self._kept}
        yield from [(one, at) for one, (_, at) in sorted(found.items()) if one.startswith(prefix) and at < before]


def _named(sha256: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {sha256!r}")
    return sha256
