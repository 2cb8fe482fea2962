"""Pictures of a page of a PDF that are damaged: pdfium draws what it can of them, or nothing, and says nothing."""

from __future__ import annotations

import struct

import numpy as np
import pypdfium2 as pdfium
from pypdfium2 import raw

from shared.errors import DocumentError
from shared.result import Reason, as_polygon
from worker.ocr.decode import completeness
from worker.ocr.decode.layer.glyphs import mapping

JPEG, JPEG_2000 = "DCTDecode", "JPXDecode"
JPEG_START, CODESTREAM_START, CODESTREAM_END = b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\xff\xd9"
LAST_BYTES = 64  # of a codestream, in which its end is
CODE = "damaged_image"
TOLD = (
    "A picture of the page is damaged, and was drawn in part or not at all: what it shows may be missing. "
    "Make the file anew, or send the picture by itself."
)


def damaged_images(page: pdfium.PdfPage, width: int, height: int) -> tuple[Reason, ...]:
    """Return the warning that pictures of a page, rendered at a size in px, are damaged; none where they are whole."""
    to_px = mapping(page, width, height)
    places = []
    for picture in page.get_objects([raw.FPDF_PAGEOBJ_IMAGE]):
        if not _is_damaged(picture):
            continue
        x0, y0, x1, y1 = picture.get_bounds()
        corners = np.array([[x0, y1, 1.0], [x1, y1, 1.0], [x1, y0, 1.0], [x0, y0, 1.0]]) @ to_px
        places.append(as_polygon(np.clip(corners, 0, (width, height)).tolist()))
    return (Reason(CODE, "damaged_images", float(len(places)), 0.0, TOLD, tuple(places)),) if places else ()


def _is_damaged(picture: pdfium.PdfImage) -> bool:
    """Whether a JPEG or JPEG 2000 ends early or is none; what other filters hold pdfium unpacks as far as it goes."""
    kinds = picture.get_filters(skip_simple=True)
    if not kinds or kinds[-1] not in (JPEG, JPEG_2000):
        return False
    content = bytes(picture.get_data(decode_simple=True))
    if kinds[-1] == JPEG_2000:
        return CODESTREAM_START not in content or CODESTREAM_END not in content[-LAST_BYTES:]
    content = content.lstrip()
    if not content.startswith(JPEG_START):
        return True
    try:
        completeness.require_complete(content, "image/jpeg")
    except (DocumentError, struct.error, ValueError, IndexError):
        return True
    return False
