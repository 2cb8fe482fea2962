"""Where uploads are kept: what any place must be able to do, and the one that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from shared.settings import Settings
from shared.uploads.blobs import Blobs


class UploadStore(Protocol):
    """Immutable uploads, named by the SHA-256 of their content in lower-case hexadecimal.

    Several processes use one store at once. A name that is no SHA-256 raises ValueError everywhere.
    """

    def put(self, content: bytes, sha256: str | None = None) -> str:
        """Store the bytes durably and return their SHA-256; whoever knows it already says it.

        Raises:
            StorageFull: There is no room; nothing half-written stays behind.
            OSError: The place cannot be written to; the same.
        """

    def keep(self, sha256: str, content: bytes) -> None:
        """Store the bytes again if somebody discarded them after ``put`` and before the job was committed."""

    def exists(self, sha256: str) -> bool:
        """Return whether the bytes are there; they may be gone a moment later."""

    def get(self, sha256: str) -> bytes:
        """Return the bytes.

        Raises:
            DocumentMissing: They are not there. Nobody retries.
            DocumentChanged: They are not those that were put. Nobody retries.
        """

    def discard(self, sha256: str, is_needed: Callable[[], bool]) -> bool:
        """Delete the bytes unless somebody needs them; return whether this call did.

        They are set aside first and the question asked then, so that a job that is committed in between is seen.
        """

    def bring_back(self, sha256: str) -> None:
        """Undo what ``discard`` began, also where its process was killed in between."""

    def stored(self, prefix: str, *, before: float) -> Iterator[tuple[str, float]]:
        """Yield SHA-256 and time of writing of what was written before a time, set-aside bytes included.

        Args:
            prefix: Two hexadecimal digits; the 256 parts of the store are looked at one by one.
            before: In seconds since 1970; unfinished writes so old are deleted.
        """


def open_uploads(settings: Settings) -> UploadStore:
    """The store that the settings ask for: the folder `blobs` of the data directory."""
    return Blobs(settings.blobs_dir)
