"""GIF, JPEG 2000, HEIC and AVIF by Pillow: OpenCV reads none of them everywhere. The first frame, upright."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageOps

from shared.errors import CorruptImage, TruncatedImage
from shared.limits import Limits
from shared.uploads.header import check_size
from worker.ocr.decode import memory

FORMATS = {"image/gif": "GIF", "image/jp2": "JPEG2000", "image/avif": "AVIF"}
MEDIA_TYPES = (*FORMATS, "image/heic")
MEMORY_BYTES = 1 << 30  # for one picture; a header may lie about what the decoder will find
SIGNS_OF_A_CUT = ("truncated", "end of file", "cannot identify")
END_OF_CODESTREAM = b"\xff\xd9"
_ACCIDENTS = (OSError, ValueError, SyntaxError, EOFError, TypeError, LookupError, RuntimeError, MemoryError)


def decode_first(content: bytes, media_type: str, limits: Limits) -> tuple[NDArray[np.generic], bool]:
    """Return the first frame as OpenCV would give it, (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, and whether more follow.

    Args:
        content: The whole file.
        media_type: One of MEDIA_TYPES.
        limits: Checked again with the size that the decoder says, before it decodes.

    Raises:
        TooManyPixels: The decoder finds another size than the header said.
        TruncatedImage: The file ends early.
        CorruptImage: The decoder gave up for another reason.
    """
    try:
        with warnings.catch_warnings(), memory.at_most(MEMORY_BYTES):
            warnings.simplefilter("ignore")  # of metadata that is not looked at
            image, is_animated = _open(content, media_type)
            check_size(*image.size, limits)
            return _as_array(ImageOps.exif_transpose(image)), is_animated
    except (TruncatedImage, CorruptImage):
        raise
    except _ACCIDENTS as error:
        is_cut = media_type == "image/jp2" and END_OF_CODESTREAM not in content[-64:]
        if is_cut or any(sign in str(error).lower() for sign in SIGNS_OF_A_CUT):
            raise TruncatedImage(size_bytes=len(content)) from error
        raise CorruptImage() from error


def _open(content: bytes, media_type: str) -> tuple[Image.Image, bool]:
    if media_type == "image/heic":
        heif = pi_heif.open_heif(io.BytesIO(content))
        check = heif[heif.primary_index]
        return check.to_pillow(), len(heif) > 1
    image = Image.open(io.BytesIO(content), formats=[FORMATS[media_type]])
    return image, bool(getattr(image, "is_animated", False))


def _as_array(image: Image.Image) -> NDArray[np.generic]:
    if image.mode.startswith("I;16"):
        return np.asarray(image, np.uint16)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"), np.uint8)
    if image.has_transparency_data:
        return np.ascontiguousarray(np.asarray(image.convert("RGBA"), np.uint8)[:, :, [2, 1, 0, 3]])
    return np.ascontiguousarray(np.asarray(image.convert("RGB"), np.uint8)[:, :, ::-1])
