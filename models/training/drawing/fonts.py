"""Faces to render with and their glyphs, cached as small arrays.

A face is used for Chinese when its cmap holds all of GB2312, for Latin when it holds printable ASCII; a single glyph
that a face lacks is never drawn (no "tofu"). Bitmap faces serve both, at their one size: that of menus and games.
"""

from __future__ import annotations

import collections
import dataclasses
import functools
import json
import os
import pathlib
import random
import re
from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
from fontTools.ttLib import TTFont
from numpy.typing import NDArray
from PIL import ImageFont

from models.training.characters import ASCII, gb2312_hanzi
from models.training.drawing import pixel_fonts

EM_PIXELS = 40
SIMPLIFIED_IN_COLLECTION = 2
FAVOURED = {  # the designs that print and screens really use
    "Noto Sans CJK SC": 4,
    "Noto Serif CJK SC": 4,
    "FandolSong": 2,
    "FandolHei": 2,
    "Liberation Sans": 3,
    "Liberation Serif": 3,
    "Liberation Mono": 3,
    "DejaVu Sans": 2,
    "Courier Prime": 2,
    "CMU Serif": 2,
}
REFUSED = re.compile(
    r"symbol|math|dingbat|emoji|icon|braille|ornament|smallcap|-sc|caps|initials|junicode|music|d050000l|z003|swash|"
    r"signet|kerkis|arab|hebr|deva|thai|tamil|bengal|armen|georg|ethiop|khmer|lao|telu|gujar|gurmuk|kannad|malay|oriya|sinhal|"
    r"Noto(Sans|Serif|Kufi|Naskh|Nastaliq|Rashi|Traditional|Music|Looped)(?!(Mono|Display|CJK|MonoCJK)?-)|"
    r"Keyboard|Regular-VF|\[wght\]|variable|gfs(?!didot)|Unifont|ProggyTiny|monofur",
    re.I,
)


MONOSPACED = re.compile(r"mono|courier|code|typewriter|ocr|3270|consolata|hack|mononoki|cousine|console|cursor", re.I)
FALLBACK_TRIES = 12
FACES = "faces-and-sizes.json"
OUTLINES = (".ttf", ".otf", ".ttc")
PIXELS = re.compile(r"(wenquanyi_\w+|ter-u\d+[nb]_unicode|\d+x\d+B?)\.pcf(\.gz)?")
"""Bitmap fonts: of Chinese screens, of terminals, and as printers of receipts hold them. Others know no Unicode."""
PIXEL_SHARE = 0.4  # of the lines at a size that a bitmap face has
LEAST_PRINTED = 16  # px of the em of a bitmap face that printers of receipts could hold


@dataclasses.dataclass(frozen=True)
class Face:
    """One face of a font file: `family` groups the weights of one design; `em` is the one size of a bitmap, or 0."""

    path: str
    index: int
    family: str
    chinese: bool
    em: int = 0


@functools.cache
def read_face(path: pathlib.Path, index: int) -> tuple[set[int], str]:
    """Code points and family name of one face."""
    if PIXELS.fullmatch(path.name):
        return pixel_fonts.code_points(path), path.name.split(".")[0]
    with TTFont(path, fontNumber=index, lazy=True) as font:
        return set(font.getBestCmap() or ()), str(font["name"].getBestFamilyName() or path.stem)


def inspect(path: pathlib.Path, hanzi: set[int]) -> Face | None:
    """The face in `path` if its cmap serves Latin or Chinese, else None."""
    index = SIMPLIFIED_IN_COLLECTION if path.suffix == ".ttc" and "Noto" in path.name else 0
    try:
        cmap, family = read_face(path, index)
    except Exception as error:  # a font file that fontTools cannot read is no font for us
        print(f"left out {path.name}: {error}")
        return None
    if not {ord(one) for one in ASCII} <= cmap or REFUSED.search(family):
        return None
    is_bitmap = PIXELS.fullmatch(path.name) is not None
    em = pixel_fonts.em_of(path) if is_bitmap else 0
    if is_bitmap and not em:
        return None
    return Face(str(path), index, family, hanzi <= cmap, em)


def find_faces(folder: pathlib.Path) -> list[Face]:
    """All usable faces below `folder`/root; the list is kept in `folder`, until other packages are fetched."""
    cache = folder / FACES
    if not cache.exists():
        hanzi = {ord(one) for one in gb2312_hanzi()}
        found, seen = [], set()
        for path in sorted((folder / "root").rglob("*")):
            if (
                not (path.suffix.lower() in OUTLINES or PIXELS.fullmatch(path.name))
                or path.is_symlink()
                or path.name in seen
                or REFUSED.search(path.name)
            ):
                continue
            seen.add(path.name)
            face = inspect(path, hanzi)
            if face is not None:
                found.append({**dataclasses.asdict(face), "path": str(path.relative_to(folder))})
        whole = cache.with_suffix(f".{os.getpid()}")  # others may be looking for it, too
        whole.write_text(json.dumps(found, indent=1, ensure_ascii=False), "utf-8")
        whole.replace(cache)
    rows = json.loads(cache.read_text("utf-8"))
    return [Face(**{**row, "path": str(folder / row["path"])}) for row in rows]


@dataclasses.dataclass(frozen=True)
class Glyph:
    """One character: coverage (h, w) uint8, offset from the pen on the baseline, advance in pixels."""

    ink: NDArray[np.uint8]
    left: int
    top: int
    advance: float

    def enlarged(self, scale: float) -> Glyph:
        """The same at another size, its dots run into each other as those of a printer do."""
        ink: Any = self.ink
        if ink.size:
            ink = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        return Glyph(ink, round(self.left * scale), round(self.top * scale), self.advance * scale)


class Glyphs:
    """Glyphs of one face at one size, drawn once. `get` returns None where the face has no glyph.

    A bitmap face has one size: at others its glyphs are enlarged.
    """

    def __init__(self, face: Face, em: int) -> None:
        self.face, self.em = face, em
        self.scale = em / face.em if face.em else 1.0
        self.font = ImageFont.truetype(face.path, face.em or em, index=face.index, layout_engine=ImageFont.Layout.BASIC)
        self.cmap, _ = read_face(pathlib.Path(face.path), face.index)
        self.cache: dict[str, Glyph | None] = {}

    def get(self, character: str) -> Glyph | None:
        if character not in self.cache:
            self.cache[character] = self.draw(character)
        return self.cache[character]

    def draw(self, character: str) -> Glyph | None:
        if ord(character) not in self.cmap:
            return None
        mask, (left, top) = self.font.getmask2(character, mode="L", anchor="ls")
        ink = (
            np.array(mask, np.uint8).reshape(mask.size[::-1])
            if mask.size[0] and mask.size[1]
            else np.zeros((0, 0), np.uint8)
        )
        if not ink.any() and character != " ":
            return None
        glyph = Glyph(ink, left, top, self.font.getlength(character))
        return glyph if self.scale == 1.0 else glyph.enlarged(self.scale)


class Library:
    """Faces by role; `pick` draws a family first and then a face of it, so that big families do not dominate."""

    def __init__(self, folder: pathlib.Path, rng: random.Random) -> None:
        self.rng = rng
        self.loaded: dict[tuple[Face, int], Glyphs] = {}
        self.helper: Face | None = None
        self.faces = find_faces(folder)
        outlines = [face for face in self.faces if not face.em]
        self.families = {
            "chinese": grouped(face for face in outlines if face.chinese),
            "latin": grouped(face for face in outlines if not face.chinese),
            "mono": grouped(face for face in outlines if MONOSPACED.search(face.family)),
            "till": grouped(face for face in self.faces if face.em >= LEAST_PRINTED and not face.chinese),
        }
        self.pixels = [face for face in self.faces if face.em]

    def pick(self, role: str, em: int = EM_PIXELS) -> Glyphs:
        """A face of a role: chinese, latin, mono (of which some hold Chinese too), or till: of printers of receipts."""
        pixels = [face for face in self.pixels if face.em == em and (face.chinese or role != "chinese")]
        if pixels and self.rng.random() < PIXEL_SHARE:
            return self.sized(self.rng.choice(pixels), em)
        return self.sized(self.rng.choice(self.rng.choice(self.families[role] or self.families["latin"])), em)

    def sized(self, face: Face, em: int) -> Glyphs:
        """The glyphs of a face at a size."""
        if (face, em) not in self.loaded:
            self.loaded[face, em] = Glyphs(face, em)
        return self.loaded[face, em]

    def fall_back(self, character: str, em: int) -> Glyph | None:
        """A glyph out of any face that has it, as programs do when their font lacks a sign; None: not found.

        The face that helped last is asked first, so that the signs of a line match.
        """
        for attempt in range(FALLBACK_TRIES):
            if attempt or self.helper is None or self.rng.random() < 0.1:
                self.helper = self.pick(self.rng.choice(("chinese", "latin")), em).face
            glyph = self.sized(self.helper, em).get(character)
            if glyph is not None:
                return glyph
        return None


def grouped(faces: Iterable[Face]) -> list[list[Face]]:
    """Faces by family; a favoured family stands in the list several times."""
    families: dict[str, list[Face]] = collections.defaultdict(list)
    for face in faces:
        families[face.family].append(face)
    return [members for family, members in families.items() for _ in range(FAVOURED.get(family, 1))]
