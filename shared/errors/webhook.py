"""Endpoints and deliveries of webhooks."""

# ruff: noqa: N818
from __future__ import annotations

from shared.errors.base import OcrelayError
from shared.errors.request import NotFound, RequestError


class InvalidWebhookUrl(RequestError):
    """The webhook URL cannot be used. Give an http or https URL of a public address, without credentials."""

    code = "invalid_webhook_url"


class EndpointNotFound(NotFound):
    """No webhook endpoint has this id. Take the id from the list of endpoints."""

    code = "endpoint_not_found"


class EndpointBuiltIn(RequestError):
    """This endpoint stands for the URLs of single jobs and has none itself. Its secret can be shown and rotated."""

    code = "endpoint_built_in"
    http_status = 409


class EndpointDisabled(RequestError):
    """The webhook endpoint is disabled. Enable it with PATCH and `{"enabled": true}`, then try again."""

    code = "endpoint_disabled"
    http_status = 409


class DeliveryNotFound(NotFound):
    """No delivery has this id. Take the id from the list of deliveries, or from the header `webhook-id`."""

    code = "delivery_not_found"


class DeliveryRunning(RequestError):
    """An attempt of this delivery is on its way. Look at it again in some seconds."""

    code = "delivery_running"
    http_status = 409


class SecretsLocked(OcrelayError):
    """A webhook secret cannot be decrypted. Restore `secrets.key` in the data folder, or set OCRELAY_SECRETS_KEY."""

    code = "secrets_locked"
    http_status = 503
    phase = "webhook"
