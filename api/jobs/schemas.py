"""The shapes that the API gives out, as the OpenAPI document states them. `shared.jobs.wire` builds the real ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask_openapi3 import Tag
from pydantic import BaseModel, ConfigDict, Field

from api.formats import table
from api.http.answers import Asked
from shared.ids import id_pattern
from shared.jobs.record import StateName
from shared.options import MAX_REFERENCE_LENGTH, REFERENCE_PATTERN, PriorityName
from shared.result import SourceName, Timings

JOBS = Tag(name="jobs", description="One request to recognise one document.")
Point = tuple[float, float]
FormatName = Annotated[
    str, Field(pattern=f"^({'|'.join(table.NAMES)})$", json_schema_extra={"enum": list(table.NAMES)})
]
FORMATS = "; ".join(f"`{form.name}`: {form.summary}" for form in table.FORMATS)


class Document(BaseModel):
    """What was uploaded."""

    sha256: str
    media_type: str
    size_bytes: int
    page_count: int


class ModelName(BaseModel):
    """The recognition model that read the document."""

    name: str
    version: str
    sha256: str


class Word(BaseModel):
    """A word of a line; one Chinese character is a word of its own."""

    text: str
    confidence: float
    polygon: list[Point] = Field(description="4 points, clockwise from top-left, pixels of the uploaded page")


class Line(BaseModel):
    """A line of text."""

    text: str
    raw_text: str = Field(description="as recognised, before any correction")
    confidence: float | None
    polygon: list[Point] = Field(description="4 points, clockwise from top-left, pixels of the uploaded page")
    words: list[Word]
    edits: list[dict[str, Any]]
    model: str | None = Field(None, description="name of the model that read it, where two read the page")
    source: SourceName | None = Field(
        None,
        exclude_if=lambda source: source is None,
        description="`recognition`: it was read beside the text layer that the page was taken from",
    )


class QualityWarning(BaseModel):
    """Why a page reads badly."""

    code: Literal[
        "text_too_small", "low_contrast", "blurred", "low_resolution", "blank_page", "black_page", "cut_off",
        "text_may_be_missing", "many_unsure_characters", "many_single_characters", "vertical_text", "first_frame_only",
        "hidden_text", "damaged_image",
    ]  # fmt: skip
    measure: str = Field(description="what was measured")
    value: float
    threshold: float = Field(description="beyond this the warning is given")
    message: str
    places: list[list[Point]] = Field(
        [], description="where on the page: 4 points each, clockwise from top-left, pixels of the uploaded page"
    )


class Page(BaseModel):
    """A page with its lines in reading order."""

    page_number: int = Field(description="1 is the first page")
    width: int
    height: int
    angle: float = Field(description="how far the text is turned: degrees, -180 to 180, counter-clockwise positive")
    source: SourceName = Field(
        "recognition", description="`text_layer`: its lines were taken from the PDF and not recognised"
    )
    quality: dict[str, float | None]
    warnings: list[QualityWarning] = Field([], description="why the page may read badly")
    lines: list[Line]


class Result(BaseModel):
    """The text of a document."""

    text: str
    confidence: float | None = Field(description="mean over the characters, 0 to 1; null where there is no text")
    min_confidence: float | None = Field(description="of the least certain line")
    model: ModelName
    stronger_model: ModelName | None = Field(None, description="the model that read some lines again, where one did")
    detector: ModelName | None = Field(
        None, description="the detector that found the lines; left out where none did, as with `layout=line`"
    )
    pages: list[Page]


class Failure(BaseModel):
    """Why a job failed, or why its last attempt did."""

    code: str
    message: str
    retryable: bool
    phase: str
    details: dict[str, Any]


class Links(BaseModel):
    """Where the parts of a job are found."""

    self: str
    result: str
    image: str
    events: str


class JobDocument(BaseModel):
    """A job, everywhere the same."""

    id: str
    state: StateName
    attempt: int
    created_at: str
    started_at: str | None
    finished_at: str | None
    queue_position: int | None
    reference: str | None
    filename: str | None = Field(description="what the client calls the document")
    metadata: dict[str, str] = Field(description="the client's own names and texts")
    deadline_at: str | None = Field(description="it fails where it has not ended by then")
    priority: PriorityName
    batch_id: str | None
    copied_from: str | None = Field(description="the earlier job whose result this one was given; null: read itself")
    document: Document
    pages_done: int = Field(description="so many pages are read and stored; they outlive a worker that dies")
    pages_total: int = Field(description="so many shall be read")
    result: Result | None
    error: Failure | None
    timings_ms: Timings
    links: Links


class JobList(BaseModel):
    """A page of jobs, newest first, without results."""

    jobs: list[JobDocument]
    next_cursor: str | None = Field(description="give it as `cursor` for the next page; null at the end")


class JobPath(BaseModel):
    """Path of one job."""

    job_id: str


class PreferHeader(Asked):
    """How long a request may be held."""

    prefer: str | None = Field(None, alias="Prefer", description="`wait=N`: up to N seconds, for the end of the job")


class ListQuery(Asked):
    """Filters of the list of jobs."""

    model_config = ConfigDict(extra="forbid")

    state: StateName | None = None
    reference: str | None = Field(None, max_length=MAX_REFERENCE_LENGTH, pattern=REFERENCE_PATTERN)
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$", description="of the uploaded bytes")
    client_ip: str | None = Field(None, pattern="^[0-9a-fA-F.:]{2,45}$")
    batch_id: str | None = Field(None, pattern="^bat_[0-9a-z]{26}$")
    key_id: str | None = Field(None, pattern="^key_[0-9a-z]{26}$", description="of the API key that submitted it")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(
        None, json_schema_extra={"pattern": id_pattern("job")}, description="`next_cursor` of the page before"
    )


class FormatQuery(Asked):
    """Form of results in a file of many."""

    model_config = ConfigDict(extra="forbid")

    format: FormatName = Field(table.DEFAULT.name, description=FORMATS)
    layout: bool = Field(False, description="with `format=text`: keep columns and indentation by spaces")
    pdfa: bool = Field(False, description="with `format=pdf`: make it PDF/A-2b, which archives ask for")


class ResultQuery(FormatQuery):
    """Form of a result."""

    format: FormatName | None = Field(  # type: ignore[assignment]
        None, description=f"{FORMATS}. Left out: what `Accept` prefers, else `{table.DEFAULT.name}`"
    )
    corrected: bool = Field(False, description="with the lines as people corrected them")
