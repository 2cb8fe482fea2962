"""Small changes to files: how the fuzzer, and the tests that work like it, get from good ones to bad ones."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Sequence

NUMBERS = (0, 1, 2, 7, 8, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def mutated(content: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The file after one to eight changes; a PNG mostly gets checksums that fit again."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        if changed:
            _change(changed, others, chance)
    if changed[:8] == PNG_SIGNATURE and chance.random() < 0.8:
        return resealed(bytes(changed))
    return bytes(changed)


def _change(changed: bytearray, others: Sequence[bytes], chance: random.Random) -> None:
    at = min(len(changed) - 1, int(len(changed) * chance.random() ** chance.choice((1, 1, 3))))  # headers come first
    size = chance.choice((1, 2, 4, 8, 16, 64, 512))
    match chance.randrange(9):
        case 0:
            changed[at] ^= 1 << chance.randrange(8)
        case 1:
            changed[at] = chance.randrange(256)
        case 2:
            layout = chance.choice((">H", "<H", ">I", "<I"))
            number = chance.choice(NUMBERS) & (0xFFFF if layout[1] == "H" else 0xFFFFFFFF)
            changed[at : at + struct.calcsize(layout)] = struct.pack(layout, number)
        case 3:
            del changed[at : at + size]
        case 4:
            changed[at:at] = changed[at : at + size]
        case 5:
            changed[at:at] = chance.randbytes(size)
        case 6:
            other = chance.choice(others)
            start = chance.randrange(max(1, len(other)))
            changed[at : at + size] = other[start : start + size]
        case 7:
            changed[at : at + size] = bytes([chance.choice((0, 255))]) * size
        case _:
            del changed[at:]


def resealed(content: bytes) -> bytes:
    """A PNG with the checksum of each chunk made right, so that a change gets past them."""
    sealed, offset = bytearray(content), len(PNG_SIGNATURE)
    while offset + 12 <= len(sealed):
        (length,) = struct.unpack_from(">I", sealed, offset)
        end = offset + 8 + length
        if end + 4 > len(sealed):
            break
        struct.pack_into(">I", sealed, end, zlib.crc32(sealed[offset + 4 : end]))
        offset = end + 4
    return bytes(sealed)
