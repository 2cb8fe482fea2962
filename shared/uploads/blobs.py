"""The store of uploads on the local disk: files named by the SHA-256 of their content."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shared import errors

FULL = (errno.ENOSPC, errno.EDQUOT)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UNFINISHED, _ASIDE = ".put-", ".aside-"


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

    def put(self, content: bytes, sha256: str | None = None) -> str:
        """Store the bytes durably and return their SHA-256 in hexadecimal; whoever knows it already says it.

        When this returns, the bytes survive a loss of power: file and folder are both synced. Bytes that are already
        there are checked, and written again if the disk has changed them.

        Raises:
            StorageFull: The disk is full; nothing half-written stays behind.
            OSError: The disk is not writable; the same.
        """
        sha256 = sha256 or hashlib.sha256(content).hexdigest()
        target = self.path(sha256)
        with _translated():
            if _holds(target, content):
                _sync_folder(target.parent)  # whoever wrote it may not have come to that yet
                return sha256
            _make_folder(target.parent)
            _write(target, content)
        return sha256

    def keep(self, sha256: str, content: bytes) -> None:
        """Store the bytes again if somebody discarded them after ``put`` and before the job was committed.

        ``discard`` asks the database after it took the file away; this looks at the file after the commit. So
        whichever of the two comes last sees what the other one did.
        """
        if not self.exists(sha256):
            self.put(content, sha256)

    def exists(self, sha256: str) -> bool:
        """Return whether the bytes are there; they may be gone a moment later."""
        return self.path(sha256).exists()

    def get(self, sha256: str) -> bytes:
        """Return the bytes.

        Raises:
            DocumentMissing: No such file. Nobody retries.
            DocumentChanged: The bytes on the disk have another SHA-256. Nobody retries.
        """
        path = self.path(sha256)
        for place in (path, _aside(path), path):  # it may be taken away and brought back at this very moment
            with suppress(FileNotFoundError):
                content = place.read_bytes()
                break
        else:
            raise errors.DocumentMissing(sha256=sha256)
        if hashlib.sha256(content).hexdigest() != sha256:
            raise errors.DocumentChanged(sha256=sha256)
        return content

    def discard(self, sha256: str, is_needed: Callable[[], bool]) -> bool:
        """Delete the bytes unless somebody needs them; return whether this call did.

        The file is set aside first and the question asked then: a job that is committed in between is seen, and the
        file brought back.
        """
        path = self.path(sha256)
        with suppress(FileNotFoundError):
            path.replace(_aside(path))
        if is_needed():
            self.bring_back(sha256)
            return False
        with suppress(FileNotFoundError):
            _aside(path).unlink()
            return True
        return False

    def bring_back(self, sha256: str) -> None:
        """Undo what ``discard`` began, also where its process was killed in between."""
        path = self.path(sha256)
        with suppress(FileNotFoundError):
            _aside(path).replace(path)

    def stored(self, prefix: str, *, before: float) -> Iterator[tuple[str, float]]:
        """Yield SHA-256 and time of writing of the blobs in one folder, set-aside ones included.

        Args:
            prefix: Two hexadecimal digits; the 256 folders are looked at one by one.
            before: Only those written before, in seconds since 1970; unfinished writes so old are deleted.
        """
        with suppress(FileNotFoundError):
            for path in sorted((self.root / prefix).iterdir()):
                try:
                    written_at = path.stat().st_mtime
                except FileNotFoundError:  # somebody else was faster
                    continue
                if written_at >= before:
                    continue
                if path.name.startswith(_UNFINISHED):
                    path.unlink(missing_ok=True)
                elif _SHA256.fullmatch(name := path.name.removeprefix(_ASIDE)):
                    yield name, written_at


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise errors.StorageFull(reason=str(error)) from error
        raise


def _aside(path: Path) -> Path:
    return path.with_name(_ASIDE + path.name)


def _holds(target: Path, content: bytes) -> bool:
    try:
        return target.read_bytes() == content
    except FileNotFoundError:
        return False


def _write(target: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
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
