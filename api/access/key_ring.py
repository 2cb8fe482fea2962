"""The API keys as one process of the API knows them, so that no request costs the database a question.

All keys are few and small: they are held in memory, and what has changed is looked up every two seconds. So wrong keys,
however many, are refused from memory; only the first few of an address may cause a look, in case the key is new.
"""

from __future__ import annotations

import hmac
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime

import structlog

from shared import clock, errors, keys
from shared.database import Database
from shared.keys import record, store
from shared.keys.record import ApiKey

log = structlog.get_logger(__name__)

REFRESH_SECONDS = 2.0
"""A revoked key is refused after so long at the latest."""
LOOK_AGAIN_SECONDS = 0.25
"""A key that was not found is looked up again if the last look is older: it may have been made a moment ago."""
WINDOW_SECONDS = 60.0
REMEMBERED_ADDRESSES = 10_000
_NO_HASH = "-" * 64


@dataclass(frozen=True)
class Held:
    """A key, its hashes, and its deadlines in the clock of this process, reckoned from the database's."""

    key: ApiKey | None
    sha256: str = _NO_HASH
    old_sha256: str = _NO_HASH
    good_until: float = float("inf")
    old_good_until: float = float("inf")


_NOBODY = Held(None)
"""What nothing matches."""


class KeyRing:
    """Finds the key that a text stands for. Threads share it."""

    def __init__(self, database: Database, *, wrong_per_minute: int) -> None:
        self._database = database
        self._failures = Failures(wrong_per_minute)
        self._lock = threading.Lock()
        self._held: dict[str, Held] = {}
        self._decoys: tuple[Held, ...] = (_NOBODY,)
        self._generation: tuple[int, str | None] = (0, None)
        self._looked_at = self._failed_at = float("-inf")
        self._noted: dict[str, float] = {}

    def is_empty(self) -> bool:
        """Whether no key was ever made. Raises DatabaseUnavailable."""
        if self._generation[0] == 0:
            self._refresh(REFRESH_SECONDS)
        return self._generation[0] == 0

    def find(self, text: str, address: str) -> ApiKey:
        """Return the key of a text.

        Args:
            text: As the client sent it.
            address: Where wrong keys are counted.

        Raises:
            InvalidKey, ExpiredKey, TooManyWrongKeys: It is none, or good no longer.
            DatabaseUnavailable: Nobody knows.
        """
        wait_seconds = self._failures.wait_seconds(address)
        key_id = record.id_of(text)
        held = self._match(key_id, text)
        if key_id is not None and (held or not wait_seconds):
            self._refresh(REFRESH_SECONDS if held else LOOK_AGAIN_SECONDS)
            held = self._match(key_id, text)
        if held is None:
            if wait_seconds:
                raise errors.TooManyWrongKeys(retry_after_seconds=wait_seconds)
            self._failures.add(address)
            raise errors.InvalidKey()
        assert held.key is not None, "nothing has the hash of nobody"
        if clock.monotonic() >= held.good_until:
            raise errors.ExpiredKey(key_id=held.key.id)
        self._note_use(held.key.id)
        return held.key

    def held(self, key_id: str, sha256: str) -> ApiKey | None:
        """Return the key with this id, if it has not ended and a text with this hash is still good. Counts as a use.

        Raises DatabaseUnavailable.
        """
        self._refresh(REFRESH_SECONDS)
        held, now = self._held.get(key_id, _NOBODY), clock.monotonic()
        is_good = sha256 == held.sha256 or (sha256 == held.old_sha256 and now < held.old_good_until)
        if held.key is None or not is_good or now >= held.good_until:
            return None
        self._note_use(key_id)
        return held.key

    def look_again(self) -> None:
        """Learn at once what was just changed in this process. Raises DatabaseUnavailable."""
        self._refresh(0)

    def _match(self, key_id: str | None, text: str) -> Held | None:
        """The key whose current or old text this is.

        An id that is not known is compared with the hashes of some other key, which it cannot match: so it takes the
        same way as one that is, and the same time.
        """
        digest, decoys = record.digest(text), self._decoys
        held = self._held.get(key_id or "", decoys[hash(key_id) % len(decoys)])
        is_current = hmac.compare_digest(digest, held.sha256)
        is_old = hmac.compare_digest(digest, held.old_sha256) and clock.monotonic() < held.old_good_until
        return held if is_current or is_old else None

    def _refresh(self, older_than_seconds: float) -> None:
        """Look for changes, unless somebody has just done so."""
        with self._lock:
            started = clock.monotonic()
            if started - self._looked_at < older_than_seconds:
                return
            if started < self._failed_at + LOOK_AGAIN_SECONDS:  # who waited for the lock need not wait again
                raise errors.DatabaseUnavailable()
            try:
                self._look(started)
            except errors.DatabaseUnavailable:
                self._failed_at = clock.monotonic()
                raise
            self._looked_at = started

    def _look(self, now_here: float) -> None:
        with self._database.read() as connection:
            generation = keys.generation(connection)
            if generation != self._generation:
                found, now = keys.load(connection)
                self._held = {key.id: _held(key, now, now_here) for key in found}
                self._decoys = tuple(self._held.values()) or (_NOBODY,)
                self._generation = generation

    def _note_use(self, key_id: str) -> None:
        """Write the use down, at most once a minute, in a thread: the request must not wait for a writer."""
        now = clock.monotonic()
        with self._lock:
            if now - self._noted.get(key_id, float("-inf")) < store.NOTE_SECONDS:
                return
            self._noted[key_id] = now
        threading.Thread(target=self._write_use, args=(key_id,), name="key-use", daemon=True).start()

    def _write_use(self, key_id: str) -> None:
        try:
            with self._database.write() as connection:
                keys.note_use(connection, key_id)
        except errors.DatabaseUnavailable as error:
            log.warning(
                "The last use of an API key was not written down; the next minute tries again.",
                event_name="key.use_not_noted",
                key_id=key_id,
                error=str(error),
            )


def _held(key: ApiKey, database_now: datetime, process_now: float) -> Held:
    def deadline(moment: datetime | None) -> float:
        return float("inf") if moment is None else process_now + (moment - database_now).total_seconds()

    return Held(key, key.sha256, key.old_sha256 or _NO_HASH, deadline(key.expires_at), deadline(key.old_until))


class Failures:
    """Counts the wrong keys of each address in windows of a minute. Remembers so many addresses at most.

    Our own, for the library `limits` reads the wall clock itself, and its store in memory has no bound.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def wait_seconds(self, address: str) -> float:
        """How long an address must wait because of too many wrong keys; 0: not at all."""
        with self._lock:
            started, count = self._counts.get(address, (0.0, 0))
        left = started + WINDOW_SECONDS - clock.monotonic()
        return max(left, 0.0) if count >= self._most else 0.0

    def add(self, address: str) -> None:
        """Count one."""
        now = clock.monotonic()
        with self._lock:
            started, count = self._counts.pop(address, (now, 0))
            if now - started >= WINDOW_SECONDS:
                started, count = now, 0
            self._counts[address] = (started, count + 1)
            if len(self._counts) > REMEMBERED_ADDRESSES:
                self._counts.popitem(last=False)
