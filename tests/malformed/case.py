"""One odd upload and its documented answer."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from shared import errors

WIDTH, HEIGHT = 96, 48


@dataclass(frozen=True)
class Case:
    """answer: the code of the refusal at the door, of the failed job, or `succeeded`. is_late: the job finds it."""

    name: str
    content: bytes
    answer: str
    is_late: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether it never becomes a job: what the header shows, and not what decoding shows."""
        return self.answer != "succeeded" and not self.is_late and errors.by_code(self.answer).phase == "inspect"

    @property
    def status(self) -> int:
        """HTTP status of the submission."""
        return errors.by_code(self.answer).http_status if self.is_refused else 202


def picture(mode: str = "RGB") -> Image.Image:
    """Noise on white with a dark bar: compresses badly, so that files have something to cut."""
    noise = np.random.default_rng(0).integers(0, 40, (HEIGHT, WIDTH, 3), np.uint8)
    pixels = 255 - noise
    pixels[16:32, 8:88] = noise[16:32, 8:88]
    return Image.fromarray(pixels).convert(mode)


def exif_block(orientation: int = 1, comment: bytes = b"") -> bytes:
    """A well-formed EXIF block, little-endian."""
    entry = struct.pack("<HHIHH", 274, 3, 1, orientation, 0)
    more = struct.pack("<HHII", 37500, 7, len(comment), 38) if comment else b""
    count = 2 if comment else 1
    return b"Exif\x00\x00II*\x00\x08\x00\x00\x00" + struct.pack("<H", count) + entry + more + bytes(4) + comment


def zeros(megabytes: int) -> bytes:
    """A zlib stream that inflates to so many MiB of nothing."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def cut(name: str, content: bytes, ends: dict[str, int], answers: dict[int, str]) -> Iterator[Case]:
    """The file, ended at each of some places. answers: from which length on there is which answer."""
    for place, end in ends.items():
        answer = next(answers[least] for least in sorted(answers, reverse=True) if end >= least)
        yield Case(f"{name} cut {place}", content[:end], answer)
