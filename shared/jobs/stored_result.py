"""How a result is stored: the `result` object of its job and the version of its shape, for rows outlive programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared import errors
from shared.result import DocumentResult

VERSION = 1
"""Of the shape that is written now. 0: rows of before the version was noted; the same shape, perhaps no warnings."""


def to_stored(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the table holds of a `result` object."""
    return {"version": VERSION, **result}


def from_stored(stored: Mapping[str, Any]) -> DocumentResult:
    """Read a stored result back.

    Raises:
        Internal: A newer ocrelay wrote it, or it is damaged. Nobody retries; the message says what the operator does.
    """
    version = stored.get("version", 0)
    if not isinstance(version, int) or not 0 <= version <= VERSION:
        raise errors.Internal(
            f"The stored result has version {version}, and this server knows those up to {VERSION}. "
            "A newer ocrelay wrote it: update this one.",
            version=version,
        )
    try:
        return DocumentResult.from_json(stored)
    except (KeyError, TypeError, ValueError) as error:
        raise errors.Internal(
            "The stored result is damaged. Submit the document again, and restore the database from a back-up.",
            reason=f"{type(error).__name__}: {error}",
        ) from error
