"""Characters of a text layer that nobody sees on the page: under a bar, in the colour of the paper, or without ink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from worker.ocr.decode.layer.glyphs import Glyph, Points

Image = NDArray[np.uint8]

MOST_HIDDEN = 0.05  # share of the characters; where more are hidden the layer is another text than the page
LEAST_CONTRAST = 16  # levels of a channel between the brightest and the darkest pixel of a character that is seen
BAR = 60  # levels; what differs from the paper by so much, and is even, is a bar
INNER = (0.3, 0.78)  # of a character's height: where its lower-case letters stand; ascenders may look out of a bar
SIDE = 0.15  # of its width, left out on both sides, for its neighbours reach over
FEWEST = 3  # characters in a row; fewer are hidden only as a whole word, for an apostrophe has nothing in its middle


def find_hidden(glyphs: Sequence[Glyph | None], image: Image) -> list[Glyph]:
    """Return the characters of a layer that are not seen on the rendered page, (H, W, 3)."""
    paper = np.median(image[::8, ::8].reshape(-1, image.shape[2]), axis=0)
    found: list[Glyph] = []
    for word in _words(glyphs):
        run: list[Glyph] = []
        for glyph, is_hidden in [*((one, _is_hidden(one, image, paper)) for one in word), (None, False)]:
            if is_hidden and glyph is not None:
                run.append(glyph)
                continue
            if len(run) >= min(FEWEST, len(word)):
                found += run
            run = []
    return found


def are_few(hidden: Sequence[Glyph], glyphs: Sequence[Glyph | None]) -> bool:
    """Tell whether the layer is sound but for these."""
    return len(hidden) <= MOST_HIDDEN * sum(glyph is not None and not glyph.text.isspace() for glyph in glyphs)


def unseen(hidden: Sequence[Glyph], image: Image, pictures: Sequence[Points]) -> list[Glyph]:
    """Return those without ink where they are; others, and those in a picture, may be what an OCR read of the page.

    pictures: two opposite corners of each, (2, 2) px.
    """
    return [
        glyph
        for glyph in hidden
        if not (glyph.is_invisible and _shows_ink(image, glyph)) and not any(_lies_in(glyph, one) for one in pictures)
    ]


def without(glyphs: Sequence[Glyph | None], hidden: Sequence[Glyph]) -> list[Glyph | None]:
    """Return the layer without some of its characters."""
    left_out = {id(glyph) for glyph in hidden}
    return [glyph for glyph in glyphs if id(glyph) not in left_out]


def _words(glyphs: Sequence[Glyph | None]) -> Iterator[list[Glyph]]:
    word: list[Glyph] = []
    for glyph in (*glyphs, None):
        if glyph is not None and not glyph.text.isspace():
            word.append(glyph)
        elif word:
            yield word
            word = []


def _is_hidden(glyph: Glyph, image: Image, paper: NDArray[np.float64]) -> bool:
    if glyph.is_invisible:
        return True
    width, height = glyph.right - glyph.left, glyph.bottom - glyph.top
    if width < 1 or height < 1:  # a character without a width, as accents have it, shows on its neighbour
        return False
    if not _shows_ink(image, glyph):
        return True
    inner = image[_span(glyph.top + INNER[0] * height, glyph.top + INNER[1] * height), _columns(glyph)]
    return bool(
        inner.size and _contrast(inner) < LEAST_CONTRAST and np.abs(inner[0, 0].astype(np.float64) - paper).max() > BAR
    )


def _shows_ink(image: Image, glyph: Glyph) -> bool:
    pixels = image[_span(glyph.top, glyph.bottom), _columns(glyph)]
    return bool(pixels.size and _contrast(pixels) >= LEAST_CONTRAST)


def _lies_in(glyph: Glyph, corners: Points) -> bool:
    middle = np.array([glyph.left + glyph.right, glyph.top + glyph.bottom]) / 2
    return bool(((corners.min(axis=0) <= middle) & (middle <= corners.max(axis=0))).all())


def _columns(glyph: Glyph) -> slice:
    width = glyph.right - glyph.left
    return _span(glyph.left + SIDE * width, glyph.right - SIDE * width)


def _contrast(pixels: Image) -> int:
    return int((pixels.max(axis=(0, 1)).astype(np.int16) - pixels.min(axis=(0, 1))).max())


def _span(start: float, end: float) -> slice:
    first = max(int(np.floor(start)), 0)
    return slice(first, max(int(np.ceil(end)), first + 1 if end > 0 else 0))
