"""What the sender of a document may choose: names, allowed values, defaults. Stated here and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared import errors

SURROGATE = re.compile("[\ud800-\udfff]")

LayoutName = Literal["line", "page", "auto"]
CharsetName = Literal["all", "latin", "alphanumeric", "digits"]
QualityName = Literal["fast", "balanced", "best"]
PriorityName = Literal["high", "normal", "bulk"]
TextLayerName = Literal["auto", "ignore"]

LAYOUTS: tuple[LayoutName, ...] = get_args(LayoutName)
CHARSETS: tuple[CharsetName, ...] = get_args(CharsetName)
QUALITIES: tuple[QualityName, ...] = get_args(QualityName)
PRIORITIES: tuple[PriorityName, ...] = get_args(PriorityName)
"""From first to last served. The table holds the index (0, 1, 2), so that SQL can sort by it."""

DEFAULT_LAYOUT: LayoutName = "auto"
DEFAULT_CHARSET: CharsetName = "all"
DEFAULT_QUALITY: QualityName = "balanced"
DEFAULT_PRIORITY: PriorityName = "normal"
DEFAULT_TEXT_LAYER: TextLayerName = "auto"

MAX_REFERENCE_LENGTH = 200
REFERENCE_PATTERN = r"^[^\x00]*$"
MAX_FILENAME_LENGTH = 255
MAX_METADATA_NAMES = 16
MAX_METADATA_BYTES = 2000
"""Of all names and values together in UTF-8: they travel with every webhook, which must stay small."""
MAX_DEADLINE_SECONDS = 30 * 86_400
MAX_WEBHOOK_LENGTH = 2000
MAX_MODEL_LENGTH = 100
MODEL_PATTERN = r"^[A-Za-z0-9._-]+$"

MAX_PAGES_LENGTH = 500
PAGES_PATTERN = r"^[1-9][0-9]{0,5}(-[1-9][0-9]{0,5})?(,[1-9][0-9]{0,5}(-[1-9][0-9]{0,5})?)*$"

HTTP_URL: dict[str, Any] = {"format": "uri", "pattern": "^https?://"}
"""What OpenAPI can say of a webhook's URL. That it must lead to a public address it cannot."""


class RecognitionOptions(BaseModel):
    """The options that decide what is recognised; they are stored with the job, and equal ones may share a result."""

    model_config = ConfigDict(extra="forbid")

    layout: LayoutName = Field(
        DEFAULT_LAYOUT,
        description="`line`: the upload is one line of text; `page`: find the lines; `auto`: look and decide.",
    )
    charset: CharsetName = Field(
        DEFAULT_CHARSET,
        description="Characters that may be read. `latin`: no Chinese; `alphanumeric`: A-Z, a-z, 0-9 and `.-/`; "
        "`digits`: 0-9 and `.,:/-+%`. The space is in all of them.",
    )

    text_layer: TextLayerName = Field(
        DEFAULT_TEXT_LAYER,
        description="Of a PDF. `auto`: a page whose own text layer is sound is taken from it; `ignore`: recognise all.",
    )
    pages: str | None = Field(
        None,
        max_length=MAX_PAGES_LENGTH,
        pattern=PAGES_PATTERN,
        description="Which pages shall be read, such as `1-3,7`; left out: all.",
    )
    quality: QualityName | None = Field(
        None,
        description="Who reads: `fast`: the fast model; `balanced`: lines that leave a doubt are read again by the "
        "stronger one; `best`: the stronger one alone. Left out: what the server is set to.",
    )
    model: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_MODEL_LENGTH,
        pattern=MODEL_PATTERN,
        description="Name of the recognition model that shall read it alone; left out: `quality` decides. A name that "
        "not every worker can read with is refused with `unknown_model`; one beside `quality`, with `invalid_option`.",
    )
    detector: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_MODEL_LENGTH,
        pattern=MODEL_PATTERN,
        description="Name of the detector that shall find the lines of pages; left out: the active one. A name that "
        "not every worker has is refused with `unknown_model`.",
    )

    @classmethod
    def of_job(cls, stored: Mapping[str, Any]) -> RecognitionOptions:
        """Those of a stored job; what it does not name has its default, and names of other versions are passed over."""
        return cls.model_validate({name: stored[name] for name in cls.model_fields if name in stored})


class SubmitOptions(RecognitionOptions):
    """What a client may choose; a name that is not here is refused, never ignored."""

    priority: PriorityName = Field(DEFAULT_PRIORITY, description="Queue that the job waits in.")
    reference: str | None = Field(
        None,
        max_length=MAX_REFERENCE_LENGTH,
        pattern=REFERENCE_PATTERN,
        description="Your own name for the job; given back with it, and a filter of the list.",
    )
    filename: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_FILENAME_LENGTH,
        pattern=REFERENCE_PATTERN,
        description="What the document is called where it comes from; given back with the job, and nothing else: no "
        "file is ever named by it.",
    )
    metadata: dict[str, str] | None = Field(
        None,
        max_length=MAX_METADATA_NAMES,
        description='A few names and texts of your own, such as `{"customer": "17"}`; given back with the job and '
        "its webhooks. In a form or a query string: as JSON.",
    )
    deadline_seconds: int | None = Field(
        None,
        ge=1,
        le=MAX_DEADLINE_SECONDS,
        description="The job fails with `deadline_exceeded` where it has not ended so long after it was accepted.",
    )
    dedupe: bool = Field(
        True,
        description="Copy the result of an earlier job with the same document, options and model; `false`: read anew.",
    )
    webhook: str | None = Field(
        None,
        min_length=1,
        max_length=MAX_WEBHOOK_LENGTH,
        json_schema_extra=HTTP_URL,
        description="http or https URL that is told of the job's end by a signed POST, beside the webhook endpoints.",
    )

    @field_validator("deadline_seconds", mode="before")
    @classmethod
    def _is_whole(cls, value: Any) -> Any:
        """JSON may write a whole number as `60.0`."""
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @model_validator(mode="after")
    def _one_says_who_reads(self) -> Self:
        if self.model is not None and self.quality is not None:
            raise ValueError("`model` and `quality` both say who reads; send one of them")
        return self

    @model_validator(mode="after")
    def _metadata_is_small(self) -> Self:
        parts = [part for pair in (self.metadata or {}).items() for part in pair]
        if any("\0" in part or SURROGATE.search(part) for part in parts):
            raise ValueError("`metadata` must hold neither NUL nor halves of characters (surrogates)")
        if sum(len(part.encode("utf-8")) for part in parts) > MAX_METADATA_BYTES:
            raise ValueError(f"`metadata` must hold at most {MAX_METADATA_BYTES} bytes of names and texts together")
        return self

    def of_recognition(self) -> dict[str, Any]:
        """The options that decide what is recognised, as they are stored."""
        return self.model_dump(mode="json", include=set(RecognitionOptions.model_fields), exclude_none=True)


def select_pages(wanted: str | None, page_count: int) -> list[int]:
    """Return the numbers of the pages that shall be read, from 1, in the order of the document, each once.

    Args:
        wanted: As in the option `pages`; None: all.
        page_count: So many the document has.

    Raises:
        InvalidOption: A page is named that the document does not have, or a range runs backwards.
    """
    if wanted is None:
        return list(range(1, page_count + 1))
    chosen: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:-(\d+))?", wanted):
        start, end = int(first), int(last or first)
        if start > end:
            raise errors.InvalidOption(f"pages: {start}-{end} runs backwards. Write {end}-{start}.", option="pages")
        if end > page_count:
            raise errors.InvalidOption(
                f"pages: there is no page {end}, the document has {page_count}. Choose among those.",
                option="pages",
                page_count=page_count,
            )
        chosen.update(range(start, end + 1))
    return sorted(chosen)
