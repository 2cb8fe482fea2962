"""Uploads on the local disk, named by the SHA-256 of their content."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from shared import errors

_SHA256 = re.compile(r"[0-9a-f]{64}")


class Blobs:
    """A folder of immutable files: ``ab/abcdef…`` holds the bytes whose SHA-256 is ``abcdef…``.

    Two processes may put the same bytes at once: each writes its own temporary file, and the last rename wins with
    the same content.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Return where the bytes lie, whether they are there or not.

        Raises:
            ValueError: Not 64 lower-case hexadecimal digits; such a name could lead out of the folder.
        """
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"not a SHA-256 in lower-case hexadecimal: {sha256!r}")
        return self.root / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Store the bytes durably and return their SHA-256 in hexadecimal.

        When this returns, the bytes survive a loss of power: file and folder are both synced. Bytes that are already
        there are checked, and written again if the disk has changed them.

        Raises:
            OSError: The disk is full or not writable; nothing half-written stays behind.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        if _holds(target, content):
            _sync_folder(target.parent)  # whoever wrote it may not have come to that yet
            return sha256
        _make_folder(target.parent)
        _write(target, content)
        return sha256

    def get(self, sha256: str) -> bytes:
        """Return the bytes.

        Raises:
            DocumentMissing: No such file. Nobody retries.
            DocumentChanged: The bytes on the disk have another SHA-256. Nobody retries.
        """
        try:
            content = self.path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise errors.DocumentMissing(sha256=sha256) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise errors.DocumentChanged(sha256=sha256)
        return content


def _holds(target: Path, content: bytes) -> bool:
    try:
        return target.read_bytes() == content
    except FileNotFoundError:
        return False


def _write(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".put-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder; NTFS journals the rename by itself
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
