"""One document that was sent, and what shall be done with it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib

from shared.options import SubmitOptions


@dataclasses.dataclass(frozen=True)
class Upload:
    """The bytes of one document and what shall be done with it."""

    content: bytes
    options: SubmitOptions

    @functools.cached_property
    def sha256(self) -> str:
        """Of the bytes; hashed once, whoever asks."""
        return hashlib.sha256(self.content).hexdigest()
