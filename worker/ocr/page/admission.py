"""Is a page good enough to be read? Reasons why not, as data. The curves behind the limits: docs/recognition.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from shared.errors import QualityTooLow
from shared.result import Line, Page, Reason
from shared.result.polygon import Polygon
from worker.ocr.ink.ink import Gray
from worker.ocr.page.quality import Quality, measure_ink

Admission = Literal["off", "warn", "refuse"]

LEAST_INK = 0.003  # share of a page that stands out; a page without text that has less is empty
BLACK = 64.0  # grey levels; an empty page that is darker is black
NOTHING = frozenset({"ink", "contrast"})  # measures that say why no text was read
NOWHERE: Mapping[str, Sequence[Polygon]] = MappingProxyType({})
BORDER = 1.5  # px; writing as near as this to the border of the page goes on beyond it


@dataclass(frozen=True)
class Rule:
    """Limits of one measure. Beyond `advise` a page gets a warning, beyond `refuse` it is not admitted; None: never."""

    code: str
    measure: str
    advise: float
    refuse: float | None
    message: str
    too_high: bool = False

    def broken_by(self, quality: Quality, *, strict: bool) -> Reason | None:
        """Return why the page is beyond the limit for advice, or with `strict` beyond the one for refusal."""
        value, limit = quality.get(self.measure), self.refuse if strict else self.advise
        if value is None or limit is None or (value <= limit if self.too_high else value >= limit):
            return None
        return Reason(self.code, self.measure, float(value), limit, self.message)


PAGE_RULES = (Rule("low_resolution", "height", 16, 7, "The image is lower than a line of readable text."),)
WRITING_RULES = (
    Rule("text_too_small", "text_height", 12, 5, "The writing is small. Scan at a higher resolution, or go nearer."),
    Rule("low_contrast", "text_contrast", 30, 10, "The writing is faint. Scan with more contrast, or with more light."),
    Rule("blurred", "softness", 0.15, 0.40, "The writing is blurred. Focus anew, and hold still.", too_high=True),
)
FAINT = Rule("low_contrast", "contrast", 40, 40, "Nothing was found on a faint page. Scan with more contrast.")
BLANK = Rule("blank_page", "ink", LEAST_INK, LEAST_INK, "The page is empty. Look whether it lay the right way round.")
DARK = Rule("black_page", "ink", LEAST_INK, LEAST_INK, "The page is black. Look whether anything covered the lens.")
EMPTY = frozenset({BLANK.code, DARK.code})
READING_RULES = (
    Rule(
        "many_unsure_characters", "unsure_characters", 0.12, None,
        "Many characters are unsure. The page may be poor, handwritten, or in a script that the model does not know.",
        too_high=True,
    ),
    Rule(
        "many_single_characters", "single_characters", 0.4, None,
        "Many lines hold a single character. Words may have fallen apart: send the page upright, or at another size.",
        too_high=True,
    ),
    Rule(
        "vertical_text", "vertical_characters", 0.3, None,
        "Some text seems to run from top to bottom, and was read across. Cut its columns out and send them one by one.",
        too_high=True,
    ),
)  # fmt: skip
UNREAD = Rule(
    "text_may_be_missing", "unread_ink", 0.01, None,
    "Something that looks like writing was not read. Look at the places, and send them larger, or upright.",
    too_high=True,
)  # fmt: skip
UNREADABLE = Rule(
    "text_may_be_missing", "unreadable_lines", 0, None,
    "Writing was found that could not be read. Look at the places, and send them larger, sharper, or upright.",
    too_high=True,
)  # fmt: skip
HALF_READ = Rule(
    "text_may_be_missing", "half_read", 0, None,
    "Some lines were read in part. Look at the places, and send them larger.",
    too_high=True,
)  # fmt: skip
CUT_OFF = Rule("cut_off", "lines_at_border", 0, None, "Writing goes on beyond the border of the page.", too_high=True)


def admit(page_number: int, quality: Quality, rules: Sequence[Rule], admission: Admission) -> None:
    """Let a page through that breaks no rule too badly.

    Raises:
        QualityTooLow: It does, and such pages are refused. Nobody retries; the sender must send a better one.
    """
    reasons = _judge(quality, rules, strict=True) if admission == "refuse" else ()
    if reasons:
        raise _too_low(page_number, reasons)


def require_writing(pages: Sequence[Page], admission: Admission) -> None:
    """Let a document through that is not empty, or too faint, throughout: the back of a sheet may be.

    Raises:
        QualityTooLow: It is, and such documents are refused. Nobody retries.
    """
    empty = [reason for page in pages for reason in page.warnings if reason.measure in NOTHING]
    if admission == "refuse" and pages and len(empty) == len(pages):
        raise _too_low(pages[0].page_number, empty[:1])


def warnings(
    gray: Gray,
    quality: Quality,
    lines: Sequence[Line],
    *,
    searched: bool,
    missing: Mapping[str, Sequence[Polygon]] = NOWHERE,
) -> tuple[Reason, ...]:
    """Return what the reader of a page's text should know about its image, (H, W) uint8.

    Args:
        gray: The page.
        quality: What was measured.
        lines: What was read.
        searched: Whether the lines were found on a page; an image of one line is tight by nature and cuts nothing off.
        missing: Places that look like writing and were not read, by the measure that tells of them.
    """
    if not lines:
        nothing = _why_nothing(gray, quality)
        if nothing and not any(missing.values()):
            return nothing
    rules = (*PAGE_RULES, *WRITING_RULES)
    if not searched:
        return _judge(quality, rules, strict=False)
    found = _judge(quality | _cut_lines(quality, lines), (*rules, *READING_RULES, CUT_OFF), strict=False)
    told = _judge(quality, [UNREAD, UNREADABLE, HALF_READ], strict=False)
    return found + tuple(replace(reason, places=tuple(missing.get(reason.measure, ()))) for reason in told)


def _judge(quality: Quality, rules: Sequence[Rule], *, strict: bool) -> tuple[Reason, ...]:
    return tuple(reason for rule in rules if (reason := rule.broken_by(quality, strict=strict)))


def _why_nothing(gray: Gray, quality: Quality) -> tuple[Reason, ...]:
    """Return why no text was read, where the page is empty or too faint to be searched."""
    brightness = quality["brightness"]
    assert brightness is not None
    empty = DARK if brightness < BLACK else BLANK
    return _judge({"ink": measure_ink(gray)}, [empty], strict=False) or _judge(quality, [FAINT], strict=False)


def _cut_lines(quality: Quality, lines: Sequence[Line]) -> Quality:
    """Return how many lines touch the border of the page, where writing goes on that nobody sees."""
    size = np.array([quality["width"], quality["height"]], np.float64)
    boxes = np.array([line.polygon for line in lines]).reshape(-1, 4, 2)
    touching = (boxes <= BORDER) | (boxes >= size - BORDER)
    return {CUT_OFF.measure: float(touching.any(axis=(1, 2)).sum())}


def _too_low(page_number: int, reasons: Sequence[Reason]) -> QualityTooLow:
    ways_out = " ".join(dict.fromkeys(reason.message for reason in reasons))
    return QualityTooLow(
        f"Page {page_number} cannot be read well. {ways_out} "
        "The operator may set OCRELAY_QUALITY_ADMISSION=warn; then such pages are read as well as it goes.",
        page_number=page_number,
        reasons=[reason.to_json() for reason in reasons],
    )
