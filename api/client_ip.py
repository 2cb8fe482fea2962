"""Who asks: the peer's address, or what a trusted proxy says of it. A bare header is never believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from flask import Request

from shared.settings import Network


def client_ip(request: Request, trusted: Sequence[Network]) -> str | None:
    """The last address on the way here that is no trusted proxy of ours.

    `X-Forwarded-For` is read from its right end, the part that our own proxies wrote, while each hop is trusted.
    """
    hops = [part.strip() for value in request.headers.getlist("X-Forwarded-For") for part in value.split(",")]
    address = request.remote_addr
    while hops and address is not None and is_trusted(address, trusted):
        before = hops.pop()
        if not is_address(before):
            break
        address = before
    return address


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Whether the address belongs to one of our proxies."""
    return is_address(address) and any(ipaddress.ip_address(address) in network for network in trusted)


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
