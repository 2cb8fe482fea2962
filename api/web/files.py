"""The files of the pages, under an address that holds the hash of them all, so that a browser may keep them for ever.

One hash for the whole folder: modules import each other by relative addresses, and so always their own generation.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
"""Not left to the machine's own table: a browser runs no module that calls itself text/plain."""


def generation(folder: Path = FOLDER) -> str:
    """Return the hash of all files with their names, in short."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in MEDIA_TYPES):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:16]


def cache_control(asked: str, current: str) -> str:
    """What a browser may do with a file: one that belongs to another generation is not kept under that name."""
    return FOR_EVER if asked == current else ASK_AGAIN
