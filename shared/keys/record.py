"""What an API key is: its text, its row, and what it may do.

The text is ``ocr_<id>_<secret><checksum>``: the id finds the row, the secret has 256 bits, and the checksum lets a
server refuse what was cut off, mistyped or made up without a look into its database. Only SHA-256 of the text is
stored; a slow hash would protect a secret that people choose, not one that cannot be guessed.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared import ids

PREFIX = "key"
SECRET_LENGTH = 52
CHECKSUM_LENGTH = 7
LONGEST_NAME = 100
NAME_RULE = f"1 to {LONGEST_NAME} printable characters"
_TEXT = re.compile(rf"ocr_([{ids.CROCKFORD}]{{26}})_[{ids.CROCKFORD}]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}")


class Scope(StrEnum):
    """What a key may do."""

    SUBMIT = "submit"
    """Send documents; cancel, retry and delete its own jobs."""
    READ = "read"
    """Look at its own jobs, batches and deliveries."""
    AUDIT = "audit"
    """Read everybody's, and the audit trail."""
    ADMIN = "admin"
    """Everything, with everybody's jobs and the webhook endpoints."""


INCLUDED = {Scope.AUDIT: frozenset({Scope.READ}), Scope.ADMIN: frozenset(Scope)}
"""What a scope brings along."""


@dataclass(frozen=True)
class ApiKey:
    """One row of ``api_keys``. Times are aware, UTC, by the database's clock."""

    id: str
    """``key_`` + 26 characters; without ``key_`` a part of the key's text."""
    name: str
    """What the operator calls it."""
    scopes: frozenset[Scope]
    """What was given to it."""
    sha256: str
    """Of its text."""
    old_sha256: str | None
    """Of its text before the last rotation."""
    old_until: datetime | None
    """The old text is good until then."""
    created_at: datetime
    """When it was made."""
    expires_at: datetime | None
    """It is good until then; None: for ever."""
    revoked_at: datetime | None
    """It was good until then."""
    last_used_at: datetime | None
    """When it was last used, give or take a minute."""

    def may(self, scope: Scope) -> bool:
        """Whether it has the scope, or one that includes it."""
        return any(scope == given or scope in INCLUDED.get(given, ()) for given in self.scopes)


def is_name(text: str) -> bool:
    """Whether a key may be called so."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


def new_text(key_id: str) -> str:
    """Return a new text for the key with this id. Nobody can find it out afterwards."""
    body = f"ocr_{key_id.partition('_')[2]}_{ids.spell(secrets.randbits(5 * SECRET_LENGTH), SECRET_LENGTH)}"
    return body + _checksum(body)


def id_of(text: str) -> str | None:
    """Return the id that a text names, or None where it cannot be a key."""
    found = _TEXT.fullmatch(text)
    if found is None or text[-CHECKSUM_LENGTH:] != _checksum(text[:-CHECKSUM_LENGTH]):
        return None
    return f"{PREFIX}_{found[1]}"


def digest(text: str) -> str:
    """Return what is stored of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    return ids.spell(zlib.crc32(body.encode()), CHECKSUM_LENGTH)
