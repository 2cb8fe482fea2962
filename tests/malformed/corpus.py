"""All odd uploads, made by code and always the same; and one line of text, stored in each of eight ways.

python -m tests.malformed.corpus FOLDER    # writes them as files, to look at
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from tests.images import saved
from tests.malformed import bmp, foreign, jpeg, pdfs, pictures, png, tiff, webp
from tests.malformed.case import Case

SAMPLE = Path(__file__).parents[2] / "docs" / "samples" / "line-english.png"
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF orientation: how an upright page is stored under it. Source: EXIF 2.3, tag 274."""


def cases() -> list[Case]:
    """Every case; the names are unique."""
    return [case for room in (png, jpeg, webp, bmp, tiff, pictures, pdfs, foreign) for case in room.cases()]


def orientations(image_format: str) -> dict[int, bytes]:
    """The sample line, stored under each EXIF orientation."""
    line = Image.open(SAMPLE).convert("RGB")
    found = {}
    for orientation, way in STORED.items():
        turned = line if way is None else line.transpose(way)
        exif = Image.Exif()
        exif[274] = orientation
        options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}}.get(image_format, {})
        found[orientation] = saved(turned, image_format, exif=exif, **options)
    return found


def main(folder: Path) -> None:
    """Write every case as a file."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases():
        (folder / f"{case.name.replace(' ', '-')}.{case.answer}").write_bytes(case.content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
