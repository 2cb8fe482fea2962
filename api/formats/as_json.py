"""`json`: the result as it is."""

from __future__ import annotations

import json

from api.formats.format import Format, Source, as_utf8


def make(source: Source) -> str:
    """The `result` object of the job."""
    return json.dumps(source.result.to_json(), ensure_ascii=False, separators=(",", ":")) + "\n"


FORMAT = Format(
    "json",
    "application/json",
    "json",
    "everything that is known, in the shape of the API",
    as_utf8(make),
    schema={"$ref": "#/components/schemas/Result"},
)
