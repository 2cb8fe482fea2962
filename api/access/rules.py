"""Who may do what: the one place that decides, for every request, before anything else looks at it.

Without any API key in the database, this machine itself is served and nobody else (or, where the operator says so,
everybody). As soon as one key was made, every request needs one, from this machine too, but for what is PUBLIC. Which
scope a route needs stands at the route itself.
"""

from __future__ import annotations

import dataclasses
import math
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request

from api.access import visitors
from api.access.client_ip import bucket, client_ip, truncated
from api.access.key_ring import KeyRing
from api.http import caller, request_log
from api.http.facts import METRICS, PUBLIC, Facts, Need, facts_of
from api.http.problems import problem
from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors
from shared.keys.record import ApiKey, Scope
from shared.settings import Settings, is_loopback

PASSED_ON = ("Forwarded", "X-Forwarded-For", "Via")
"""A proxy was here. (One that adds none of these cannot be told from a client on this machine.)"""

PUBLIC_FILES = ("/docs/", "/static/")
"""The page that shows the documentation: it holds nothing of anybody, and a browser can send no key for it."""


def register(app: Flask, parts: Parts) -> None:
    """Let the application ask for keys."""
    ring = KeyRing(parts.database, wrong_per_minute=parts.settings.wrong_keys_per_minute)
    app.extensions["key_ring"] = ring

    @app.before_request
    def identify() -> None:
        address = client_ip(request, parts.settings)
        client = Caller(address, truncated(address, parts.settings))
        caller.note(client)  # for answers, too, if it is not admitted
        route = request.url_rule.rule if request.url_rule else None
        found = facts_of(app, request)
        request_log.note_request(request.environ, route=route, facts=found, client_ip=client.shown_address)
        needed = need_of(request, found)
        if found is not None and found.is_page:
            client = admit_visitor(request, needed, client, ring, parts)
        else:
            client = admit(request, needed, client, ring, parts.settings)
        caller.note(client)

    for refusal in (errors.MissingKey, errors.InvalidKey, errors.MissingScope):
        app.register_error_handler(refusal, challenge)
    app.register_error_handler(errors.TooManyRequests, come_again)


def admit(request: Request, needed: Need | None, client: Caller, ring: KeyRing, settings: Settings) -> Caller:
    """Return the client with its key, where one is needed.

    Raises:
        ForbiddenClient: There are no keys, and the request comes from elsewhere.
        MissingKey, InvalidKey, ExpiredKey, TooManyWrongKeys, MissingScope: There are keys, and it has none that does.
        DatabaseUnavailable: Nobody knows.
    """
    if needed is None or needed == PUBLIC:
        return client
    if needed == METRICS:
        if settings.metrics_access == "public" or (
            settings.metrics_access == "loopback" and is_ours(request, client.address, settings)
        ):
            return client
        needed = Scope.ADMIN
    if ring.is_empty():
        check_is_ours(request, client, settings)
        return client
    key = ring.find(key_text(request), bucket(client.address))
    check_scope(request, key, needed)
    return dataclasses.replace(client, key=key)


def admit_visitor(request: Request, needed: Need | None, client: Caller, ring: KeyRing, parts: Parts) -> Caller:
    """The same for a page: its key is the one that the visitor has signed in with. What is PUBLIC takes it, too.

    Raises:
        ForbiddenClient: There are no keys, and the request comes from elsewhere.
        NotSignedIn, MissingScope: There are keys, and nobody is signed in, or with one that may not do it.
        DatabaseUnavailable: Nobody knows.
    """
    if ring.is_empty():
        check_is_ours(request, client, parts.settings)
        return client
    key = visitors.key_of(request, ring, parts)
    if key is None:
        if needed in (None, PUBLIC):
            return client
        raise errors.NotSignedIn()
    known = dataclasses.replace(client, key=key)
    caller.note(known)  # the page that refuses it offers what it may open, and the way out
    if isinstance(needed, Scope):
        check_scope(request, key, needed)
    return known


def check_is_ours(request: Request, client: Caller, settings: Settings) -> None:
    """Without keys this machine alone is served; raises ForbiddenClient."""
    if not settings.allow_remote_without_keys and not is_ours(request, client.address, settings):
        raise errors.ForbiddenClient()


def check_scope(request: Request, key: ApiKey, needed: Scope) -> None:
    """Raises MissingScope where the key may not do it."""
    if not key.may(needed):
        request_log.note_key(request.environ, key.id)
        given = sorted(key.scopes)
        raise errors.MissingScope(
            f"The API key has no scope `{needed}`, which this needs; it has {', '.join(given)}. Use one that has it.",
            needed=str(needed),
            given=given,
        )


def need_of(request: Request, facts: Facts | None) -> Need | None:
    """What a request needs; None: nothing is here, and the answer will say so."""
    if facts is None or request.url_rule is None:
        return None
    return PUBLIC if request.url_rule.rule.startswith(PUBLIC_FILES) else facts.scope


def key_text(request: Request) -> str:
    """The key that a client sent, in either header.

    Raises:
        MissingKey: In none.
        InvalidKey: In both, and not the same one.
    """
    scheme, _, bearer = request.headers.get("Authorization", "").strip().partition(" ")
    found = {text for text in (bearer.strip() if scheme.lower() == "bearer" else "", named_key(request)) if text}
    if not found:
        raise errors.MissingKey()
    if len(found) > 1:
        raise errors.InvalidKey("Two different API keys were sent. Send one, in either header.")
    return found.pop()


def named_key(request: Request) -> str:
    """The key in `X-API-Key`."""
    return request.headers.get("X-API-Key", "").strip()


def is_ours(request: Request, address: str | None, settings: Settings) -> bool:
    """Whether a request comes from this machine and from no page of another site in a browser on it.

    Such a page can make a name of its own point at this machine, or post a form here; then Host or Origin name it.
    (It cannot send a key with that: no answer of this server allows it the header.) Nor is it one that a proxy on this
    machine passes on and nobody has named: whoever asks that one is anybody.
    """
    if not is_loopback(address or "localhost"):
        return False
    if not settings.proxies and any(name in request.headers for name in PASSED_ON):
        return False
    origin = request.headers.get("Origin")
    try:
        hosts = [request.host, *([urlsplit(origin).netloc] if origin is not None else [])]
        return all(is_loopback(urlsplit(f"//{host}").hostname or "") for host in hosts)
    except ValueError:  # no address at all
        return False


def challenge(error: errors.OcrelayError) -> Response:
    """401 or 403 with what would do instead (RFC 6750)."""
    if isinstance(error, errors.ExpiredKey):
        request_log.note_key(request.environ, str(error.details.get("key_id")))
    response = problem(error)
    parts = ['Bearer realm="ocrelay"']
    if isinstance(error, errors.InvalidKey):
        parts.append('error="invalid_token"')
    if isinstance(error, errors.MissingScope):
        parts += ['error="insufficient_scope"', f'scope="{error.details.get("needed")}"']
    response.headers["WWW-Authenticate"] = ", ".join(parts)
    return response


def come_again(error: errors.OcrelayError) -> Response:
    """429 with the time after which it is worth a try."""
    response = problem(error)
    seconds = error.details.get("retry_after_seconds")
    if isinstance(seconds, int | float):
        response.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return response
