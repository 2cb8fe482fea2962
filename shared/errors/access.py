"""Who asks may not do what is asked, or asks too often."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.base import OcrelayError
from shared.errors.request import NotFound, RequestError


class MissingKey(RequestError):
    """This server wants an API key. Send it as `Authorization: Bearer KEY` or as `X-API-Key: KEY`."""

    code = "missing_key"
    http_status = 401


class InvalidKey(RequestError):
    """The API key is not one of this server, or it was revoked. Ask the operator for another."""

    code = "invalid_key"
    http_status = 401


class ExpiredKey(InvalidKey):
    """The API key has expired. Ask the operator for another."""

    code = "expired_key"


class MissingScope(RequestError):
    """The API key may not do this. Use one that has the scope which `details` names."""

    code = "missing_scope"
    http_status = 403


class NotSignedIn(RequestError):
    """You are not signed in, or were signed out meanwhile. Sign in with an API key of this server."""

    code = "not_signed_in"
    http_status = 401


class StaleForm(RequestError):
    """The form belongs to no page of this sign-in. Load the page again, and send it once more."""

    code = "stale_form"
    http_status = 403


class KeyNotFound(NotFound):
    """No API key has this id, or it was revoked before. Take the id from `ocrelay keys list`."""

    code = "key_not_found"


class TooManyRequests(OcrelayError):
    """You ask more often than this server allows. Come again after the seconds in `Retry-After`."""

    code = "rate_limited"
    http_status = 429
    retryable = True
    phase = "request"


class TooManyWrongKeys(TooManyRequests):
    """Too many wrong API keys came from your address. Correct the key, and try again after `Retry-After` seconds."""

    code = "too_many_wrong_keys"


class TooManyOpenJobs(TooManyRequests):
    """Too many jobs of this API key have not ended. Wait for the end of some, then submit again."""

    code = "too_many_open_jobs"
