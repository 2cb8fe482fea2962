"""The whole PDF: pages, text, what is said of it, and all that without more than a few pages in memory."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Pdf, Stream, StreamDecodeLevel, String

from api.formats.format import Source
from api.formats.pdf.background import Background, background_of
from api.formats.pdf.font import GlyphlessFont
from api.formats.pdf.text_layer import content_of
from api.formats.xml import produced_by, stamp, words
from shared.result import Page

PART_BYTES = 8 * 1024 * 1024
"""Pages of about so many bytes are held in memory; what comes before them waits in files."""
FONT = "/Text"


class Part:
    """Some pages, with the font that they share."""

    def __init__(self, background: Background, most_bytes: int) -> None:
        self.pdf = Pdf.new()
        self._most_bytes = most_bytes
        self._background = background
        self._font = GlyphlessFont(self.pdf)
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        """Whether the next page belongs into another part."""
        return self._bytes > self._most_bytes or self._font.is_nearly_full

    def add(self, page: Page) -> None:
        """Add a page with its text."""
        added = self._background.add_page(self.pdf, page)
        self._bytes += added.bytes_added
        if lines := page.recognised_lines:  # the page has the others itself
            added.page.add_resource(self._font.object, Name.Font, Name(FONT))
            added.page.contents_add(content_of(lines, self._font, FONT, added.to_points))

    def finish(self) -> Pdf:
        """The pages, with the font complete."""
        self._font.finish()
        return self.pdf


def write_document(source: Source, file: IO[bytes], part_bytes: int = PART_BYTES) -> None:
    """Write the PDF of a document; raises what `source.upload` does, and CorruptImage."""
    background = background_of(source)
    with ExitStack() as open_parts:
        folder: Path | None = None
        paths: list[Path] = []
        part = Part(background, part_bytes)
        for page in source.result.pages:
            if part.is_full:
                folder = folder or Path(open_parts.enter_context(tempfile.TemporaryDirectory(prefix="ocrelay-pdf-")))
                paths.append(folder / f"{len(paths)}.pdf")
                _save(part.finish(), paths[-1])
                part = Part(background, part_bytes)
            part.add(page)
        whole = part.finish()
        if folder is not None:
            paths.append(folder / f"{len(paths)}.pdf")
            _save(whole, paths[-1])
            whole = Pdf.new()
            for path in paths:
                whole.pages.extend(open_parts.enter_context(Pdf.open(path)).pages)
        describe(whole, source)
        _save(whole, file)


def describe(pdf: Pdf, source: Source) -> None:
    """Say what it is and who made it, and where it shall last, that it is PDF/A-2b."""
    is_archival = source.choices.pdfa
    if is_archival:
        intent = Dictionary(
            Type=Name.OutputIntent, S=Name.GTS_PDFA1, OutputConditionIdentifier=String("sRGB"), Info=String("sRGB"),
            DestOutputProfile=Stream(pdf, srgb(), Dictionary(N=3)),
        )  # fmt: skip
        pdf.Root.OutputIntents = Array([pdf.make_indirect(intent)])
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=True) as metadata:
        metadata["dc:title"] = words(source.name)
        metadata["xmp:CreatorTool"] = produced_by()
        metadata["pdf:Producer"] = produced_by()
        metadata["xmp:CreateDate"] = metadata["xmp:ModifyDate"] = stamp(source.made_at)
        if is_archival:
            metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "2", "B"


def srgb() -> bytes:
    """The profile of sRGB that comes with Pillow's colour management."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def _save(pdf: Pdf, target: Path | IO[bytes]) -> None:
    """Write it with what was packed left as it is."""
    pdf.save(
        target,  # type: ignore[arg-type]
        min_version="1.7",
        object_stream_mode=ObjectStreamMode.generate,
        stream_decode_level=StreamDecodeLevel.none,
        compress_streams=True,
    )
