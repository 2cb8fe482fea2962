"""One page of an upload as a browser can show it: upright, opaque, no wider than is asked for."""

from __future__ import annotations

import io
from contextlib import closing

import pypdfium2 as pdfium
from PIL import Image, ImageOps, UnidentifiedImageError

from api.formats.pdf.flat import flat
from api.service.parts import Parts
from shared import errors
from shared.jobs import Job
from shared.limits import Limits
from shared.uploads import pdf

MEDIA_TYPE = "image/jpeg"
WIDEST, DEFAULT_WIDTH = 6000, 1600
QUALITY = 85
ALMOST = 0.999
"""pdfium rounds the sides of a page up."""


def page_image(parts: Parts, job: Job, page_number: int, width: int) -> bytes:
    """Return the page as JPEG, in the pixels of its result or fewer.

    Raises:
        NotFound: The document has no such page.
        CorruptImage, TooManyPixels: It cannot be shown.
        DocumentMissing, DocumentChanged: The upload was deleted, or the disk changed it.
    """
    if not 1 <= page_number <= job.page_count:
        raise errors.NotFound(f"The document has {job.page_count} pages. Ask for one from 1 on.", page=page_number)
    content = parts.blobs.get(job.sha256)
    if job.media_type == pdf.MEDIA_TYPE:
        shown = _of_document(content, page_number, width, parts.settings.limits)
    else:
        shown = _of_pictures(content, page_number, width)
    file = io.BytesIO()
    shown.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def _of_pictures(content: bytes, page_number: int, width: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(content)) as image:
            image.seek(page_number - 1)
            image.draft(None, (width, width))  # a JPEG is decoded smaller, where that is enough; others ignore it
            upright = ImageOps.exif_transpose(flat(image))
    except Image.DecompressionBombError as error:
        raise errors.TooManyPixels() from error
    except (UnidentifiedImageError, EOFError, OSError, ValueError, SyntaxError) as error:
        raise errors.CorruptImage(page_number=page_number) from error
    shown = upright if upright.mode == "L" else upright.convert("L" if upright.mode == "1" else "RGB")
    if shown.width > width:
        shown = shown.resize((width, max(1, round(shown.height * width / shown.width))), Image.Resampling.BOX)
    return shown


def _of_document(content: bytes, page_number: int, width: int, limits: Limits) -> Image.Image:
    """A page of a PDF with its annotations and filled forms, as it is read."""
    try:
        with pdf.opened(content) as document:
            document.init_forms()
            with closing(document.get_page(page_number - 1)) as page:
                across, down = (max(side, 1.0) for side in page.get_size())
                finest = min(limits.max_side / max(across, down), (limits.max_pixels / (across * down)) ** 0.5)
                scale = min(width / across, finest * ALMOST)
                with closing(page.render(scale=scale, draw_annots=True)) as bitmap:
                    shown: Image.Image = bitmap.to_pil().convert("RGB")
    except pdfium.PdfiumError as error:
        raise errors.CorruptImage(page_number=page_number) from error
    return shown
