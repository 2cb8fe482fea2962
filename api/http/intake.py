"""One upload, however it is sent: multipart form, raw body, or JSON with base64."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any, NoReturn
from urllib.parse import unquote

from flask import Request
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from api.http.problems import option_error
from api.service.upload import Upload
from shared import errors
from shared.options import SubmitOptions

FILE_FIELD = "file"
BASE64_IMAGE = {
    "type": "string",
    "format": "byte",
    "minLength": 4,
    "description": "the file in base64, in the standard or the URL alphabet, also as a `data:` URI",
}
TO_STANDARD = str.maketrans("-_", "+/")
IMAGE_FIELD = "image"


def form_schema(file: dict[str, Any]) -> dict[str, Any]:
    """The schema of a form as OpenAPI states it: the field `file` and the options."""
    properties = {FILE_FIELD: file, **text_options()}
    return {"type": "object", "required": [FILE_FIELD], "additionalProperties": False, "properties": properties}


def json_schema(name: str, images: dict[str, Any]) -> dict[str, Any]:
    """The schema of a JSON body as OpenAPI states it: the image or images under a name, and the options."""
    properties = {name: images, **SubmitOptions.model_json_schema()["properties"]}
    return {"type": "object", "required": [name], "additionalProperties": False, "properties": properties}


def text_options() -> dict[str, Any]:
    """The options in OpenAPI as a form or a query string can hold them: without null."""
    found = {}
    for name, schema in SubmitOptions.model_json_schema()["properties"].items():
        kinds = schema.pop("anyOf", [{}])
        found[name] = {**schema, **kinds[0]}
        if found[name].get("type") == "object":  # such a field holds text; a schema of the text itself says more
            found[name] = {
                "type": "string",
                "description": schema["description"],
                "contentMediaType": "application/json",
            }
        if found[name].get("default", "") is None:
            del found[name]["default"]
    return found


def read_upload(request: Request) -> Upload:
    """Take the document and its options out of a request. Options may stand in the query string of every kind of body.

    Raises:
        MissingFile, InvalidForm, FormTooLarge, InvalidJson, NotAnObject, InvalidBase64, UnknownOption, InvalidOption:
            It is not one of the three kinds.
    """
    given = typed(once_each(request.args))
    if request.mimetype == "multipart/form-data":
        content, named = from_form(request)
    elif request.mimetype == "application/json" or request.mimetype.endswith("+json"):
        content, named = from_json(request)
    else:  # whatever a client calls its body, the content decides what it is
        content, named = request.get_data(cache=False, parse_form_data=False), {}
    return Upload(content, parse_options(merge(given, named)))


def merge(given: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """Options of the query string and of the body together; raises InvalidOption where a name stands in both."""
    for name in sorted(given.keys() & named.keys()):
        raise errors.InvalidOption(f"{name} stands in the query string and in the body. Send it once.", option=name)
    return given | named


def typed(texts: dict[str, Any]) -> dict[str, Any]:
    """Options of a form or a query string, where everything is text, as JSON would have them."""
    return {name: FROM_TEXT[name](text) if name in FROM_TEXT else text for name, text in texts.items()}


def as_flag(text: Any) -> Any:
    """`true` and `false`; what is neither stays, and is refused."""
    return {"true": True, "false": False}.get(text, text)


def as_number(text: Any) -> Any:
    """A whole number; what is none stays, and is refused."""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10 else text


def as_members(text: Any) -> Any:
    """A JSON object; what is no JSON stays, and is refused. Raises InvalidOption where a name comes twice."""
    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=no_number)
    except (ValueError, RecursionError, TypeError):
        return text


FROM_TEXT = {"dedupe": as_flag, "deadline_seconds": as_number, "metadata": as_members}


def parse_options(given: dict[str, Any]) -> SubmitOptions:
    """Validate options; raises UnknownOption or InvalidOption."""
    try:
        return SubmitOptions.model_validate(given, strict=True)
    except ValidationError as error:
        raise option_error(error) from None


def from_form(request: Request) -> tuple[bytes, dict[str, Any]]:
    """The file in the form field `file`; every other field is an option. What the form calls the file is not used."""
    files = request.files.getlist(FILE_FIELD)
    others = sorted(set(request.files) - {FILE_FIELD})
    if others or len(files) != 1:
        found = ", ".join(sorted({*request.files, *request.form})) or "none"
        raise errors.MissingFile(
            f"The form must hold exactly one file, in the field `file` (found: {found}; files: {len(files)}). "
            "Send it like curl -F file=@scan.png; several documents are several requests."
        )
    return files[0].read(), typed(once_each(request.form))


def from_json(request: Request) -> tuple[bytes, dict[str, Any]]:
    """The base64 in the member `image`; every other member is an option."""
    body = json_object(request)
    if IMAGE_FIELD not in body:
        raise errors.MissingFile("The JSON object holds no `image`. Put the file's bytes there, encoded in base64.")
    return decode_base64(body.pop(IMAGE_FIELD)), body


def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; raises InvalidJson or NotAnObject."""
    content = request.get_data(cache=False)
    try:
        body = json.loads(content, object_pairs_hook=members, parse_constant=no_number)
    except (ValueError, RecursionError):
        raise errors.InvalidJson() from None
    if not isinstance(body, dict):
        raise errors.NotAnObject()
    return body


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; raises InvalidOption where a name comes twice, for one value would be ignored."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise errors.InvalidOption("A name comes twice in a JSON object. Send each member once.")
    return found


def no_number(name: str) -> NoReturn:
    """Raises ValueError: NaN and Infinity are not JSON."""
    raise ValueError(f"{name} is not JSON")


def decode_base64(text: object) -> bytes:
    """Bytes of a base64 string in either alphabet; padding may lack, and a `data:` URI and line breaks are accepted.

    Raises:
        InvalidBase64: It is no string, or not base64.
    """
    if not isinstance(text, str):
        raise errors.InvalidBase64("`image` is not a string. Put the file's bytes there, encoded in base64.")
    if text[:5].lower() == "data:":
        text = unquote(text.partition(",")[2])
    text = "".join(text.split()).translate(TO_STANDARD)
    try:
        return base64.b64decode(text if "=" in text[-2:] else text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise errors.InvalidBase64() from None


def once_each(fields: MultiDict[str, str]) -> dict[str, Any]:
    """Fields by name; raises InvalidOption where a name comes twice, for one value would be ignored."""
    for name, values in fields.lists():
        if len(values) > 1:
            raise errors.InvalidOption(f"{name} is given {len(values)} times. Send it once.", option=name)
    return dict(fields.items())
