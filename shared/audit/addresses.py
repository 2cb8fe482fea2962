"""IP addresses as texts that sort as the addresses do, so that a network is a range on every database."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_WIDTHS = {4: 8, 6: 32}
_MAPPED_BITS = 96


def sort_key(address: str | None) -> str | None:
    """Return ``4`` + 8 or ``6`` + 32 hexadecimal digits; None for what is no address.

    An IPv4 address that is written as IPv6 (``::ffff:192.0.2.1``) has the key of the IPv4 address.
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return _key(found.ipv4_mapped)
    return _key(found)


def key_range(network: str) -> tuple[str, str]:
    """Return the keys of the first and the last address of an address or a CIDR block.

    Bits beyond the prefix are ignored: ``192.0.2.7/24`` is ``192.0.2.0/24``.

    Raises:
        ValueError: It is neither.
    """
    found = ipaddress.ip_network(network, strict=False)
    first, last = found.network_address, found.broadcast_address
    if isinstance(first, ipaddress.IPv6Address) and found.prefixlen >= _MAPPED_BITS and first.ipv4_mapped is not None:
        return str(sort_key(str(first))), str(sort_key(str(last)))
    return _key(first), _key(last)


def _key(address: Address) -> str:
    return f"{address.version}{int(address):0{_WIDTHS[address.version]}x}"
