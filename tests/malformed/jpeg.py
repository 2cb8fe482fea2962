"""JPEG. Source of the layout: ITU-T T.81, annex B."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from tests.images import saved
from tests.malformed.case import HEIGHT, WIDTH, Case, cut, exif_block, picture

BASE = saved(picture(), "JPEG", quality=90)
FRAMES = {0xC0, 0xC1, 0xC2, 0xC9}


def segments(content: bytes) -> list[tuple[int, int, int]]:
    """Marker, where the segment begins and where it ends, up to the first scan's header."""
    found, offset = [], 2
    while True:
        marker, length = struct.unpack_from(">xBH", content, offset)
        found.append((marker, offset, offset + 2 + length))
        if marker == 0xDA:
            return found
        offset += 2 + length


def frame(content: bytes) -> int:
    """Where the payload of the frame header begins: precision, height, width, components."""
    return next(start + 4 for marker, start, _ in segments(content) if marker in FRAMES)


def with_size(content: bytes, width: int, height: int) -> bytes:
    """The same file with another size in its frame header."""
    at = frame(content) + 1
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def with_segment(marker: int, body: bytes, *, length: int | None = None) -> bytes:
    """BASE with one more segment right at its start."""
    size = len(body) + 2 if length is None else length
    return BASE[:2] + struct.pack(">BBH", 0xFF, marker, size) + body + BASE[2:]


def patched(content: bytes, at: int, new: bytes) -> bytes:
    """The same file with other bytes at one place."""
    return content[:at] + new + content[at + len(new) :]


def cases() -> Iterator[Case]:
    """Every JPEG."""
    yield from _cuts()
    yield from _lies()
    yield from _kinds()
    yield from _metadata()


def _cuts() -> Iterator[Case]:
    ends = {"inside the start marker": 1, "behind the start marker": 2, "behind its first marker": 4}
    for number, (marker, start, end) in enumerate(segments(BASE)):
        ends[f"inside segment {number} {marker:02X}"] = (start + end) // 2
        ends[f"behind segment {number} {marker:02X}"] = end
    ends |= {"inside the scan": len(BASE) * 3 // 4, "before the end marker": len(BASE) - 2}
    sized = frame(BASE) + 5
    yield from cut("jpeg", BASE, ends, {0: "unsupported_media_type", 3: "unreadable_header", sized: "truncated_image"})
    steps = saved(picture(), "JPEG", progressive=True)
    scans = [at for at in range(len(steps) - 1) if steps[at : at + 2] == b"\xff\xda"]
    yield from cut(
        "jpeg in steps", steps, {f"before scan {n}": at for n, at in enumerate(scans)}, {0: "truncated_image"}
    )


def _lies() -> Iterator[Case]:
    yield Case("jpeg of no width", with_size(BASE, 0, HEIGHT), "zero_size_image")
    yield Case("jpeg of no height", with_size(BASE, WIDTH, 0), "zero_size_image")
    yield Case("jpeg that claims 65500 x 65500", with_size(BASE, 65500, 65500), "too_many_pixels")
    yield Case("jpeg 1 x 65535", with_size(BASE, 1, 65535), "too_many_pixels")
    yield Case("jpeg 65535 x 1", with_size(BASE, 65535, 1), "too_many_pixels")
    yield Case("jpeg that claims 5000 x 5000", with_size(BASE, 5000, 5000), "truncated_image")
    yield Case("jpeg that claims half its rows", with_size(BASE, WIDTH, HEIGHT // 2), "succeeded")
    at = frame(BASE)
    yield Case("jpeg of 12 bits", patched(BASE, at, b"\x0c"), "corrupt_image")
    yield Case("jpeg of 7 components", patched(BASE, at + 5, b"\x07"), "corrupt_image")
    yield Case("jpeg of no components", patched(BASE, at + 5, b"\x00"), "corrupt_image")
    yield Case("jpeg with sampling 0", patched(BASE, at + 7, b"\x00"), "corrupt_image")
    yield Case("jpeg that names a table it has not", patched(BASE, at + 8, b"\x03"), "corrupt_image")
    yield Case("jpeg in arithmetic code", patched(BASE, at - 3, b"\xc9"), "succeeded")
    yield Case(
        "jpeg whose segment reaches beyond its end", with_segment(0xE1, b"Exif\0\0", length=65535), "unreadable_header"
    )
    yield Case("jpeg whose segment has length 0", with_segment(0xE1, b"", length=0), "unreadable_header")
    codes = next(start for marker, start, _ in segments(BASE) if marker == 0xC4)
    yield Case("jpeg with garbage for its codes", patched(BASE, codes + 5, b"\xff" * 16), "corrupt_image")
    scan = segments(BASE)[-1][2]
    yield Case("jpeg whose scan is all zeros", BASE[:scan] + bytes(600) + b"\xff\xd9", "succeeded")
    yield Case("jpeg without a scan", BASE[:scan] + b"\xff\xd9", "truncated_image")
    yield Case("jpeg that is only two markers", b"\xff\xd8\xff\xd9", "unreadable_header")


def _kinds() -> Iterator[Case]:
    for mode in ("L", "RGB", "CMYK"):
        yield Case(f"jpeg {mode}", saved(picture(mode), "JPEG"), "succeeded")
    four = saved(picture("CMYK"), "JPEG")
    adobe = four.index(b"Adobe")
    yield Case("jpeg YCCK", patched(four, adobe + 11, b"\x02"), "succeeded")
    yield Case("jpeg in steps", saved(picture(), "JPEG", progressive=True), "succeeded")
    yield Case("jpeg 1 x 1", saved(picture().crop((0, 0, 1, 1)), "JPEG"), "succeeded")
    yield Case("jpeg with fill bytes", BASE[:2] + b"\xff" * 5000 + BASE[2:], "succeeded")
    yield Case("jpeg and zip in one", BASE + b"PK\x03\x04" + bytes(60), "succeeded")
    yield Case("jpeg twice", BASE + BASE, "succeeded")


def _metadata() -> Iterator[Case]:
    yield Case("jpeg with a page as comment", with_segment(0xFE, b"<html><script>alert(1)</script>"), "succeeded")
    yield Case("jpeg with garbage for EXIF", with_segment(0xE1, b"Exif\0\0II*\0" + b"\xff" * 50), "succeeded")
    yield Case(
        "jpeg whose EXIF points beyond its end", with_segment(0xE1, b"Exif\0\0II*\0\xf0\xff\xff\x7f"), "succeeded"
    )
    loop = b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + bytes(30)
    yield Case("jpeg whose EXIF claims 65535 entries", with_segment(0xE1, loop), "succeeded")
    yield Case("jpeg with EXIF that names no way up", with_segment(0xE1, exif_block(77)), "succeeded")
    preview = exif_block(1, b"\xff\xd8\xff\xe0 preview \xff\xd9")
    yield Case("jpeg with a preview", with_segment(0xE1, preview), "succeeded")
    yield Case(
        "jpeg with garbage for a colour profile", with_segment(0xE2, b"ICC_PROFILE\0\x01\x01" + b"x" * 99), "succeeded"
    )
    yield Case(
        "jpeg with a colour profile in 255 parts", with_segment(0xE2, b"ICC_PROFILE\0\x01\xff" + b"x" * 99), "succeeded"
    )
    many = b"".join(struct.pack(">BBH", 0xFF, 0xE1, 65535) + bytes(65533) for _ in range(64))
    yield Case("jpeg with 4 MiB of metadata", BASE[:2] + many + BASE[2:], "succeeded")
    small = b"\xff\xfe\x00\x02" * 1_000_000
    yield Case("jpeg with a million segments", BASE[:2] + small + BASE[2:], "unreadable_header")
    yield Case("jpeg with 4 MiB of fill bytes", BASE[:2] + b"\xff" * (4 << 20) + BASE[2:], "succeeded")
