"""One document that was sent, and what shall be done with it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

HTTP_URL: dict[str, Any] = {"format": "uri", "pattern": "^https?://"}
"""What OpenAPI can say of a webhook's URL. That it must lead to a public address it cannot."""


class SubmitOptions(BaseModel):
    """What a client may choose; a name that is not here is refused, never ignored."""

    model_config = ConfigDict(extra="forbid")

    layout: Literal["line", "page", "auto"] = Field(
        "auto", description="`line`: the upload is one line of text; `page`: find the lines; `auto`: look and decide."
    )
    charset: Literal["all", "latin", "alphanumeric", "digits"] = Field(
        "all",
        description="Characters that may be read. `latin`: no Chinese; `alphanumeric`: A-Z, a-z, 0-9 and `.-/`; "
        "`digits`: 0-9 and `.,:/-+%`. The space is in all of them.",
    )
    priority: Literal["high", "normal", "bulk"] = Field("normal", description="Queue that the job waits in.")
    reference: str | None = Field(
        None,
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="Your own name for the job; given back with it, and a filter of the list.",
    )
    dedupe: bool = Field(
        True,
        description="Copy the result of an earlier job with the same document, options and model; `false`: read anew.",
    )
    webhook: str | None = Field(
        None,
        min_length=1,
        max_length=2000,
        json_schema_extra=HTTP_URL,
        description="http or https URL that is told of the job's end by a signed POST, beside the webhook endpoints.",
    )

    def of_recognition(self) -> dict[str, Any]:
        """The options that decide what is recognised. Jobs with equal ones may share a result."""
        return self.model_dump(mode="json", exclude={"priority", "reference", "dedupe", "webhook"}, exclude_none=True)


@dataclasses.dataclass(frozen=True)
class Upload:
    """The bytes of one document and what shall be done with it."""

    content: bytes
    options: SubmitOptions

    @functools.cached_property
    def sha256(self) -> str:
        """Of the bytes."""
        return hashlib.sha256(self.content).hexdigest()
