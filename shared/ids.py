"""Identifiers that sort by the time of their making."""

from __future__ import annotations

import secrets
import threading

from shared import clock

CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
"""Base 32 without i, l, o and u. Digits sort before letters in every collation, so ids sort alike everywhere."""

RANDOM_BITS, STEP_BITS = 80, 64
NEAR_MILLISECONDS = 1000
_made = [0]
"""The last one of this process."""
_lock = threading.Lock()


def new(prefix: str) -> str:
    """Return ``prefix_`` + 26 characters: 48 bits of milliseconds since 1970, then 80 random bits.

    Those that one process makes in one millisecond sort in the order of their making, too, as the jobs of a batch do.

    Source: the ULID specification, in lower case.
    """
    number = (int(clock.now().timestamp() * 1000) << RANDOM_BITS) | secrets.randbits(RANDOM_BITS)
    with _lock:
        if number <= _made[0] < number + (NEAR_MILLISECONDS << RANDOM_BITS):  # farther off, the clock was set back
            number = _made[0] + 1 + secrets.randbits(STEP_BITS)
        _made[0] = number
    return f"{prefix}_{spell(number, 26)}"


def moved(made: str, milliseconds: int) -> str:
    """Return the id as it would be had it been made so much later; or earlier, where that is negative."""
    prefix, _, tail = made.partition("_")
    number = sum(CROCKFORD.index(letter) << 5 * place for place, letter in enumerate(reversed(tail)))
    return f"{prefix}_{spell(max(0, number + (milliseconds << RANDOM_BITS)), 26)}"


def spell(number: int, length: int) -> str:
    """Return the number in so many characters of base 32."""
    return "".join(CROCKFORD[(number >> 5 * place) & 31] for place in reversed(range(length)))


def is_id(text: str, prefix: str) -> bool:
    """Return whether the text has the form of an id with this prefix."""
    head, _, tail = text.partition("_")
    return head == prefix and len(tail) == 26 and set(tail) <= set(CROCKFORD)


def id_pattern(prefix: str) -> str:
    """Return the regular expression of ids with this prefix, as OpenAPI states it."""
    return f"^{prefix}_[{CROCKFORD}]{{26}}$"
