"""What may be chosen for a document."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.limits import Limits
from shared.options import (
    DEFAULT_CHARSET,
    DEFAULT_LAYOUT,
    DEFAULT_QUALITY,
    DEFAULT_TEXT_LAYER,
    CharsetName,
    LayoutName,
    QualityName,
    TextLayerName,
)
from worker.ocr.page.admission import Admission


@dataclass(frozen=True)
class Options:
    """What the sender may choose, and what the server allows.

    layout: `line` (the upload is one text line), `page`, or `auto` (look and decide).
    admission: `off`, `warn` (say which pages are poor) or `refuse` (do not read very poor ones).
    charset: which characters may be read, see `worker.ocr.text.decoder`.
    text_layer: whether pages of a PDF may be taken from theirs; only with all characters, and not where it is one line.
    pages: which pages; None: all.
    quality: `fast` (the recogniser alone), `balanced` (lines in doubt are read again by the stronger one) or `best`
        (the stronger one alone). Without a stronger one `balanced` is `fast`.
    """

    layout: LayoutName = DEFAULT_LAYOUT
    limits: Limits = field(default_factory=Limits)
    admission: Admission = "warn"
    charset: CharsetName = DEFAULT_CHARSET
    text_layer: TextLayerName = DEFAULT_TEXT_LAYER
    pages: str | None = None
    quality: QualityName = DEFAULT_QUALITY
