"""The body of a request did not arrive as it was announced."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.request import RequestError


class UnsupportedEncoding(RequestError):
    """The body is compressed or otherwise encoded. Send it as it is, without `Content-Encoding`."""

    code = "unsupported_encoding"
    http_status = 415


class IncompleteBody(RequestError):
    """The body ended early, or its chunks cannot be read. Send the request again, whole."""

    code = "incomplete_body"
    http_status = 400


class SlowBody(RequestError):
    """The body came too slowly. Send it again over a faster connection, or let a proxy take it in first."""

    code = "body_too_slow"
    http_status = 408
