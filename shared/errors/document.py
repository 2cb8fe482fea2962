"""The document itself cannot be taken."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.base import OcrelayError


class DocumentError(OcrelayError):
    """The document cannot be read. Send a PDF, PNG, JPEG, WebP, BMP, TIFF, GIF, JPEG 2000, HEIC or AVIF."""

    code = "document_error"
    http_status = 422
    phase = "inspect"


class EmptyDocument(DocumentError):
    """The document holds no bytes. Send the bytes of an image."""

    code = "empty_document"


class UnsupportedMediaType(DocumentError):
    """The content cannot be read here. Send a PDF, PNG, JPEG, WebP, BMP, TIFF, GIF, JPEG 2000, HEIC or AVIF."""

    code = "unsupported_media_type"
    http_status = 415


class DocumentTooLarge(DocumentError):
    """The document holds too many bytes. Send a smaller file, or raise OCRELAY_MAX_DOCUMENT_BYTES on the server."""

    code = "document_too_large"
    http_status = 413


class TooManyPixels(DocumentError):
    """The image holds too many pixels. Scale it down, or raise OCRELAY_MAX_PIXELS on the server."""

    code = "too_many_pixels"
    http_status = 413


class TooManyPages(DocumentError):
    """The document holds too many pages. Choose some (`pages=1-50`), split it, or raise OCRELAY_MAX_PAGES."""

    code = "too_many_pages"
    http_status = 413


class EncryptedDocument(DocumentError):
    """The PDF opens with a password only. Save it without one, and send that."""

    code = "encrypted_document"


class BrokenDocument(DocumentError):
    """The PDF is damaged: its pages cannot be found. Save it anew with another program, and send the complete file."""

    code = "broken_document"


class NoPages(DocumentError):
    """The PDF holds no page. Send one that has pages."""

    code = "no_pages"


class UnreadableHeader(DocumentError):
    """The file starts like an image but its size cannot be read from its header. Send the complete file again."""

    code = "unreadable_header"


class ZeroSizeImage(DocumentError):
    """The image is zero pixels wide or high. Send an image with content."""

    code = "zero_size_image"


class TruncatedImage(DocumentError):
    """The image ends before its last row. Send the complete file again."""

    code = "truncated_image"
    phase = "decode"


class CorruptImage(DocumentError):
    """The image cannot be decoded. Save it anew with another program and send it again."""

    code = "corrupt_image"
    phase = "decode"


class QualityTooLow(DocumentError):
    """The image is too poor to be read, and this server refuses such. Scan or photograph it better; see `details`."""

    code = "quality_too_low"
    phase = "quality"
