"""What recognition says about a document: pages, lines, words, characters.

Pixels are those of the original page as it is seen (after EXIF orientation), origin top-left, x to the right, y down.
Polygons are 4 points clockwise from the top-left of the writing. Confidence is defined in `worker.ocr.text.ctc`.
`to_json` builds the `result` object of a job, `from_json` reads one back; `shared.jobs.stored_result` stores it.
"""

from shared.result.confidence import mean_confidence
from shared.result.document import DocumentResult, ModelName
from shared.result.line import Character, Line, SourceName, Word
from shared.result.page import Page, Reason
from shared.result.polygon import as_polygon
from shared.result.timings import STAGES, TIMING_STAGES, Timings

__all__ = [
    "STAGES",
    "TIMING_STAGES",
    "Character",
    "DocumentResult",
    "Line",
    "ModelName",
    "Page",
    "Reason",
    "SourceName",
    "Timings",
    "Word",
    "as_polygon",
    "mean_confidence",
]
