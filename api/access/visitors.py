"""Who looks at the pages: a random text in one cookie, which stands for a sign-in if the database says so.

Everybody gets such a text, signed in or not, for the forms of a page are bound to it, too (``form_token``).
"""

from __future__ import annotations

import hashlib
import hmac
import re

from flask import Request, Response, current_app, g, request

from api.access.client_ip import is_trusted, parse_address
from api.access.key_ring import KeyRing
from api.service.caller import Caller
from api.service.parts import Parts
from shared import errors
from shared.keys import record, sessions
from shared.keys.record import ApiKey
from shared.keys.sessions import Lifetime
from shared.settings import Settings

COOKIE = "ocrelay_session"
TOKEN_FIELD, TOKEN_HEADER = "csrf", "X-CSRF-Token"
_TEXT = re.compile(r"[\w-]{43}", re.ASCII)


def key_of(request: Request, ring: KeyRing, parts: Parts) -> ApiKey | None:
    """The key that the visitor is signed in with; None: not signed in, or no longer. Raises DatabaseUnavailable."""
    text = given_text(request)
    if text is None:
        return None
    with parts.database.read() as connection:
        session = sessions.find(connection, text, lifetime(parts.settings))
        is_due = session is not None and sessions.is_due(connection, text)
    key = ring.held(session.key_id, session.key_sha256) if session else None
    if key is not None and is_due:
        with parts.database.write() as connection:
            sessions.note_use(connection, text)
    return key


def sign_in(parts: Parts, ring: KeyRing, key_text: str, client: Caller, address: str) -> None:
    """Exchange a key for a session. The cookie gets a new text: one that somebody else may have set opens nothing.

    Args:
        parts: Of the process.
        ring: Knows the keys.
        key_text: What was typed.
        client: Who asks.
        address: Where wrong keys are counted.

    Raises:
        InvalidKey, ExpiredKey, TooManyWrongKeys: It is none, or good no longer, or there were too many wrong ones.
        DatabaseUnavailable: Nobody knows.
    """
    key = ring.find(key_text, address)
    with parts.database.write() as connection:
        g.visitor = sessions.open_session(
            connection,
            key_id=key.id,
            key_sha256=record.digest(key_text),
            life=lifetime(parts.settings),
            actor=Caller(client.address, client.shown_address, key).actor,
        )
    g.is_new_visitor = True


def sign_out(parts: Parts, client: Caller) -> None:
    """End the session; the visitor gets a new text."""
    with parts.database.write() as connection:
        sessions.close_session(connection, current_text(), actor=client.actor)
    g.visitor, g.is_new_visitor = sessions.new_text(), True


def lifetime(settings: Settings) -> Lifetime:
    """How long sessions last."""
    return Lifetime(settings.session_idle_seconds, settings.session_seconds)


def given_text(request: Request) -> str | None:
    """What the cookie holds, if it can be one of ours."""
    text = request.cookies.get(COOKIE, "")
    return text if _TEXT.fullmatch(text) else None


def current_text() -> str:
    """The visitor's text: of the cookie, or a new one that the answer will bring."""
    if "visitor" not in g:
        found = given_text(request)
        g.visitor, g.is_new_visitor = found or sessions.new_text(), found is None
    return str(g.visitor)


def visitor() -> str:
    """What is stored of the visitor."""
    return sessions.digest(current_text())


def form_token() -> str:
    """What every form of a page holds: made of the visitor's text, which no other site knows."""
    return hmac.new(current_text().encode(), b"form", hashlib.sha256).hexdigest()


def owner(client: Caller) -> str:
    """Whose is what a browser keeps: the same for one key whenever it signs in; without a key for one visitor."""
    of = f"key {client.key.id}" if client.key else f"visitor {visitor()}"
    return hashlib.sha256(of.encode()).hexdigest()[:16]


def check_form(request: Request) -> None:
    """Raises StaleForm where a change does not come from a page that this visitor was shown."""
    given = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD, "")
    if given_text(request) is None or not hmac.compare_digest(given.encode(), form_token().encode()):
        raise errors.StaleForm()


def keep(response: Response, settings: Settings) -> Response:
    """Give the visitor the cookie, where it is new: for this site alone, and for no script."""
    if g.get("is_new_visitor"):
        response.set_cookie(COOKIE, current_text(), httponly=True, samesite="Strict", secure=is_encrypted(settings))
    return response


def is_encrypted(settings: Settings) -> bool:
    """Whether the browser came by TLS: to us, to a proxy that we trust and that says so, or as the settings say."""
    peer = parse_address(request.remote_addr or "")
    is_proxied = peer is not None and is_trusted(peer, settings.proxies)
    forwarded = request.headers.get("X-Forwarded-Proto", "").strip().lower() if is_proxied else ""
    return request.is_secure or forwarded == "https" or settings.public_url.startswith("https://")


def ring() -> KeyRing:
    """The keys of this process."""
    found: KeyRing = current_app.extensions["key_ring"]
    return found
