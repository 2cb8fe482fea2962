"""Leave no upload behind that no job needs."""

from __future__ import annotations

import structlog

from api.service.parts import Parts
from shared import errors, jobs

log = structlog.get_logger(__name__)


def discard(parts: Parts, sha256: str) -> None:
    """Delete an upload unless a job needs it. What cannot be done now is left to the sweeper."""

    def is_needed() -> bool:
        with parts.database.read() as connection:
            return bool(jobs.needed_uploads(connection, [sha256]))

    try:
        parts.blobs.discard(sha256, is_needed)
    except (errors.DatabaseUnavailable, OSError) as error:
        log.warning(
            "An upload was not deleted; the sweeper does it.",
            event_name="upload.not_deleted",
            error=str(error),
        )
