"""The files of the pages, under an address that holds the hash of them all, so that a browser may keep them for ever.

One hash for the whole folder: modules import each other by relative addresses, and so always their own generation.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path, PurePosixPath

from flask import Blueprint, Response, request, send_from_directory

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "no-cache"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
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


@cache
def packed(path: Path) -> bytes:
    """The file by gzip. They are few and small, and they stay as long as the process does."""
    return gzip.compress(path.read_bytes(), 9, mtime=0)


def add(pages: Blueprint) -> str:
    """Add the address of the files; return what it begins with."""
    current = generation()

    @pages.get("/static/<version>/<path:name>")
    def file(version: str, name: str) -> Response:
        media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix)
        response = send_from_directory(FOLDER, name, mimetype=media_type)
        response.headers["Cache-Control"] = cache_control(version, current)
        response.vary.add("Accept-Encoding")
        if media_type is not None and response.status_code == 200 and request.accept_encodings["gzip"] > 0:
            response.direct_passthrough = False
            response.close()
            response.set_data(packed(FOLDER / name))
            response.headers["Content-Encoding"] = "gzip"
            response.headers.pop("ETag", None)
        return response

    return f"/static/{current}"
