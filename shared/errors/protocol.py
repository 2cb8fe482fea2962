"""What HTTP itself does not allow: refused by gunicorn, by Werkzeug, or by the proxy of docker-compose.yml."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.base import OcrelayError
from shared.errors.request import RequestError


class MalformedRequest(RequestError):
    """This is not a well-formed HTTP request. Compare it with what `curl -v` sends."""

    code = "malformed_request"
    http_status = 400


class UriTooLong(RequestError):
    """The address is too long. Put options into the body, or leave some out."""

    code = "uri_too_long"
    http_status = 414


class RangeNotSatisfiable(RequestError):
    """The range lies outside of the document. Ask for a part of it, or for all."""

    code = "range_not_satisfiable"
    http_status = 416


class ExpectationFailed(RequestError):
    """`Expect` demands what this server does not do. Leave the header out, or send `Expect: 100-continue`."""

    code = "expectation_failed"
    http_status = 417


class HeadersTooLarge(RequestError):
    """The headers are too long or too many. Leave some out; cookies are not needed here."""

    code = "headers_too_large"
    http_status = 431


class TransferNotSupported(OcrelayError):
    """The body comes in a transfer coding that this server does not know. Send it plain or `chunked`."""

    code = "transfer_not_supported"
    http_status = 501
    phase = "request"


class BadGateway(OcrelayError):
    """The proxy reaches no API process. Try again in a moment; the operator may look whether the API runs."""

    code = "bad_gateway"
    http_status = 502
    retryable = True
    phase = "request"


class GatewayTimeout(OcrelayError):
    """The API did not answer the proxy in time. Look whether the job exists before you send it again."""

    code = "gateway_timeout"
    http_status = 504
    retryable = True
    phase = "request"
