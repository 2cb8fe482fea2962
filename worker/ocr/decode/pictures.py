"""GIF, JPEG 2000, HEIC and AVIF by Pillow: OpenCV reads none of them everywhere. The first frame, upright."""

from __future__ import annotations

import io
import warnings
from dataclasses import replace

import cv2
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


def decode_first(content: bytes, media_type: str, limits: Limits, factor: int = 1) -> tuple[NDArray[np.generic], bool]:
    """Return the first frame as OpenCV would give it, (H, W), (H, W, 3) BGR or (H, W, 4) BGRA, and whether more follow.

    Args:
        content: The whole file.
        media_type: One of MEDIA_TYPES.
        limits: Checked again with the size that the decoder says, before it decodes.
        factor: By how much a HEIC is reduced.

    Raises:
        TooManyPixels: The decoder finds another size than the header said.
        TruncatedImage: The file ends early.
        CorruptImage: The decoder gave up for another reason.
    """
    try:
        with warnings.catch_warnings(), memory.at_most(MEMORY_BYTES):
            warnings.simplefilter("ignore")  # of metadata that is not looked at
            if media_type == "image/heic":
                return _heic(content, limits, factor)
            image = Image.open(io.BytesIO(content), formats=[FORMATS[media_type]])
            check_size(*image.size, limits)
            is_animated = bool(getattr(image, "is_animated", False))
            ImageOps.exif_transpose(image, in_place=True)
            return _as_array(image), is_animated
    except (TruncatedImage, CorruptImage):
        raise
    except _ACCIDENTS as error:
        is_cut = media_type == "image/jp2" and END_OF_CODESTREAM not in content[-64:]
        if is_cut or any(sign in str(error).lower() for sign in SIGNS_OF_A_CUT):
            raise TruncatedImage(size_bytes=len(content)) from error
        raise CorruptImage() from error


def _heic(content: bytes, limits: Limits, factor: int) -> tuple[NDArray[np.generic], bool]:
    """The primary picture, which libheif turns itself, out of the decoder's memory: a copy would be as large again."""
    heif = pi_heif.open_heif(io.BytesIO(content))
    image = heif[heif.primary_index]
    limits = replace(limits, max_pixels=limits.max_pixels * factor**2)
    width, height = image.size
    check_size(width, height, limits)
    image.load()
    width, height = image.size
    check_size(width, height, limits)
    if image.mode not in ("L", "RGB", "RGBA"):  # premultiplied
        return _as_array(image.to_pillow()), len(heif) > 1
    pixels = np.asarray(image)[:, :width]  # rows may be longer in memory
    if factor > 1:
        size = (-(-width // factor), -(-height // factor))
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
    return _to_bgr(pixels), len(heif) > 1


def _as_array(image: Image.Image) -> NDArray[np.generic]:
    if image.mode.startswith("I;16"):
        return np.asarray(image, np.uint16)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"), np.uint8)
    wanted = "RGBA" if image.has_transparency_data else "RGB"
    return _to_bgr(np.asarray(image if image.mode == wanted else image.convert(wanted), np.uint8))


def _to_bgr(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Gray stays; (H, W, 3) RGB and (H, W, 4) RGBA become what OpenCV calls colour."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
