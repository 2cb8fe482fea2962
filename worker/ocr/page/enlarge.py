"""Back from a page that was reduced while it was decoded to the pixels of the upload."""

from __future__ import annotations

from dataclasses import replace

from shared.result import Line, Page
from shared.result.polygon import Polygon


def enlarge(page: Page, factor: int, size: tuple[int, int]) -> Page:
    """Return the page with every place in pixels of the upload.

    Args:
        page: As it was read.
        factor: So many pixels of the upload, each way, were one that was read.
        size: Width and height of the upload in px, as it is seen.
    """
    width, height = size

    def placed(polygon: Polygon) -> Polygon:
        a, b, c, d = ((min(x * factor, float(width)), min(y * factor, float(height))) for x, y in polygon)
        return a, b, c, d

    def line_of(line: Line) -> Line:
        words = tuple(replace(word, polygon=placed(word.polygon)) for word in line.words)
        return replace(line, polygon=placed(line.polygon), words=words)

    warnings = tuple(replace(one, places=tuple(map(placed, one.places))) for one in page.warnings)
    return replace(page, width=width, height=height, lines=tuple(map(line_of, page.lines)), warnings=warnings)
