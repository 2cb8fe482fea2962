"""By how much a picture is reduced while it is decoded, so that photographs of telephones fit into memory.

A photograph of 48 million pixels has as many for each character as one of 12 million needs. A JPEG that is not
progressive never stands in memory whole: its blocks of 8 x 8 are decoded to 4 x 4 one after the other. Of a progressive
one all coefficients do, and a HEIC is decoded whole and reduced behind its decoder: those may take as much memory as
the largest progressive JPEG that is not reduced.
"""

from __future__ import annotations

from shared import errors
from shared.uploads import jpeg

REDUCED = 2
WHOLE_BYTES = 6  # for each allowed pixel: the coefficients of a progressive JPEG whose colours are not subsampled
HEIC_BYTES = 4.5  # for each pixel: 1.5 as libheif decodes it, and 3 in RGB


def factor(content: bytes, media_type: str, size: tuple[int, int], max_pixels: int) -> int:
    """Return by how much each side is reduced: 1, or REDUCED where there are more than `max_pixels`.

    Raises:
        TooManyPixels: It can be reduced, but it would take too much memory before.
        struct.error: The JPEG cannot be understood.
    """
    width, height = size
    if width * height <= max_pixels:
        return 1
    if media_type == "image/jpeg":
        whole, advice = float(jpeg.coefficients_bytes(content)), PROGRESSIVE
    elif media_type == "image/heic":
        whole, advice = HEIC_BYTES * width * height, HEIC
    else:
        return 1
    if whole > WHOLE_BYTES * max_pixels:
        raise errors.TooManyPixels(advice, width=width, height=height, max_pixels=max_pixels)
    return REDUCED


PROGRESSIVE = (
    "The JPEG is progressive and holds too many pixels to be reduced while it is decoded. "
    "Save it as a JPEG that is not progressive, scale it down, or raise OCRELAY_MAX_PIXELS on the server."
)
HEIC = (
    "The HEIC holds too many pixels to be reduced. "
    "Send it as a JPEG, scale it down, or raise OCRELAY_MAX_PIXELS on the server."
)
