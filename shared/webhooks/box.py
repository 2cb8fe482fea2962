"""Webhook secrets as they lie in the database: encrypted with a key that is not in it.

Source: AES-256-GCM as in the package ``cryptography``; see decision 25 for what this helps against.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, select, update

from shared import errors
from shared.settings import Settings
from shared.tables import webhook_secrets

KEY_FILE = "secrets.key"
KEY_BYTES = 32
NONCE_BYTES = 12
SEALED = "a1:"
"""What is stored begins so; a secret of an earlier version begins with ``whsec_``."""


class Box:
    """Seals secrets and opens them. The first key seals; every key opens, so that a key can be changed."""

    def __init__(self, keys: Callable[[], Sequence[bytes]]) -> None:
        """Prepare it.

        Args:
            keys: Gives the keys, 32 bytes each, when one is needed.
        """
        self._keys = keys
        self._ciphers: list[AESGCM] = []

    @classmethod
    def of(cls, settings: Settings) -> Box:
        """The box of an installation: with the keys of OCRELAY_SECRETS_KEY, else with that of the data folder."""
        given = settings.secrets_keys
        return cls(lambda: given) if given else cls(lambda: [key_of(settings.data_dir / KEY_FILE)])

    def seal(self, secret: str, endpoint_id: str) -> str:
        """What is stored of the secret of an endpoint; it opens for that endpoint alone."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._all()[0].encrypt(nonce, secret.encode(), endpoint_id.encode())
        return SEALED + base64.b64encode(nonce + sealed).decode()

    def open(self, stored: str, endpoint_id: str) -> str:
        """The secret of an endpoint; one that an earlier version stored in the clear is returned as it is.

        Raises:
            SecretsLocked: No key opens it.
        """
        if not stored.startswith(SEALED):
            return stored
        content = base64.b64decode(stored.removeprefix(SEALED))
        for cipher in self._all():
            with suppress(InvalidTag):
                return cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], endpoint_id.encode()).decode()
        raise errors.SecretsLocked(endpoint=endpoint_id)

    def _all(self) -> list[AESGCM]:
        if not self._ciphers:
            self._ciphers = [AESGCM(key) for key in self._keys()]
        return self._ciphers


def seal_all(connection: Connection, box: Box) -> int:
    """Seal what an earlier version stored in the clear, and see that the rest can be opened; return how many it was.

    Raises:
        SecretsLocked: One cannot be opened.
    """
    count = 0
    found = connection.execute(
        select(webhook_secrets.c.id, webhook_secrets.c.endpoint_id, webhook_secrets.c.secret).with_for_update()
    ).all()
    for row in found:
        secret = box.open(row.secret, row.endpoint_id)
        if secret == row.secret:
            changed = webhook_secrets.c.id == row.id
            connection.execute(update(webhook_secrets).where(changed).values(secret=box.seal(secret, row.endpoint_id)))
            count += 1
    return count


def key_of(file: Path) -> bytes:
    """The key in a file; made at the first time, for the user alone. Several processes may do so at once.

    Raises:
        InvalidConfiguration: The file holds no key.
    """
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(prefix=".secrets-", dir=file.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as made:
                made.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
                made.flush()
                os.fsync(made.fileno())
            with suppress(FileExistsError):  # another process was faster; its key counts
                os.link(name, file)
        finally:
            Path(name).unlink()
    try:
        key = base64.b64decode(file.read_text("ascii").strip(), validate=True)
    except (binascii.Error, UnicodeDecodeError):
        key = b""
    if len(key) != KEY_BYTES:
        raise errors.InvalidConfiguration(f"{file} holds no key of {KEY_BYTES} bytes in base64. Restore it.")
    return key
