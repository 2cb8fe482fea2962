"""Headers with which a browser does as little as possible with our answers.

`Strict-Transport-Security` is not among them: only the proxy that speaks TLS can promise it.
"""

from __future__ import annotations

from flask import Flask, Response

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What every answer carries, unless its route says otherwise."""


def register(app: Flask) -> None:
    """Give every answer of the application these headers."""
    app.after_request(harden)


def harden(response: Response) -> Response:
    """Add what the route did not set itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response
