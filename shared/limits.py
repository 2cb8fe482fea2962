"""What a document may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a document may cost at most. Checked from headers, before any decode."""

    max_bytes: int = 10 * 1024 * 1024
    """Size of the file."""
    max_pixels: int = 40_000_000
    """Width times height of one page."""
    max_side: int = 30_000
    """Width or height of one page, in pixels."""
    max_pages: int = 1000
    """Pages that are read of one document."""
