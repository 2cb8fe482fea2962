"""Who asks: the peer's address, or what a trusted proxy says of it. A bare header is never believed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import TypeAlias

from flask import Request

from shared.settings import Network, Settings

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

BUCKET_BITS_V6 = 64
"""One customer has at least so large an IPv6 network, and may take any address of it for any request."""
_NODE = re.compile(r"\[([^\]]+)\](?::[\w.-]+)?|([^:\s]+)(?::[\w.-]+)?|([0-9A-Fa-f:.]+)")
_PAIR = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)=(?:\"([^\"\\]*)\"|([^\s;\"]*))\s*(?:;|$)")


def client_ip(request: Request, settings: Settings) -> str | None:
    """The last address on the way here that is no trusted proxy of ours, in its shortest spelling.

    The header is read from its right end, the part that our own proxies wrote, while each hop is trusted. Only the one
    header that they write is read: the other one would come from the client, through them, as it is.
    """
    address = parse_address(request.remote_addr or "")
    read = of_forwarded if settings.trusted_proxy_header == "Forwarded" else str.strip
    line = ",".join(request.headers.getlist(settings.trusted_proxy_header))
    hops = [read(element) for element in line.split(",") if element.strip()]
    trusted = settings.proxies
    while hops and address is not None and is_trusted(address, trusted):
        before = parse_node(hops.pop())
        if before is None:  # hidden, unknown or nonsense: the proxy that says so is all we know
            break
        address = before
    return str(address) if address is not None else None


def of_forwarded(element: str) -> str:
    """The value of `for` in one element of `Forwarded` (RFC 7239); empty where there is none, two, or nonsense.

    Elements are told apart by any comma, quoted or not: no address holds one, and a quote that a client opens must not
    swallow what our proxy wrote behind it.
    """
    values, place = [], 0
    while place < len(element):
        found = _PAIR.match(element, place)
        if found is None:
            return ""
        if found[1].lower() == "for":
            values.append(found[3] if found[2] is None else found[2])
        place = found.end()
    return values[0] if len(values) == 1 else ""


def parse_node(node: str) -> Address | None:
    """The address of a node, with or without a port and brackets; None where it hides, or is none."""
    found = _NODE.fullmatch(node)
    return parse_address(found[1] or found[2] or found[3]) if found else None


def parse_address(text: str) -> Address | None:
    """The address, an IPv4-mapped one as IPv4 and without a zone; None where it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_trusted(address: Address, trusted: Sequence[Network]) -> bool:
    """Whether the address belongs to one of our proxies."""
    return any(address in network for network in trusted)


def truncated(text: str | None, settings: Settings) -> str | None:
    """The address as it is stored and logged: with as many bits as the operator wants to know."""
    address = parse_address(text or "")
    if address is None:
        return text
    return cut(address, settings.client_ip_bits_v4 if address.version == 4 else settings.client_ip_bits_v6)


def bucket(text: str | None) -> str:
    """What limits count by: an IPv4 address, or the network of an IPv6 address."""
    address = parse_address(text or "")
    return text or "unknown" if address is None or address.version == 4 else cut(address, BUCKET_BITS_V6)


def cut(address: Address, bits: int) -> str:
    """The address with all but so many leading bits set to zero."""
    return str(ipaddress.ip_network((address, bits), strict=False).network_address)
