"""Addresses sort as texts, and a block is a range of them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.audit import addresses


@given(st.ip_addresses(v=4), st.ip_addresses(v=4))
def test_keys_sort_as_the_addresses_do(one: ipaddress.IPv4Address, other: ipaddress.IPv4Address) -> None:
    keys = [str(addresses.sort_key(str(address))) for address in (one, other)]
    assert (keys[0] < keys[1]) == (one < other)


@given(st.ip_addresses(), st.integers(0, 128), st.ip_addresses())
def test_a_block_is_the_range_of_its_addresses(
    inside: ipaddress.IPv4Address | ipaddress.IPv6Address,
    bits: int,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    block = f"{inside}/{min(bits, inside.max_prefixlen)}"
    first, last = addresses.key_range(block)
    mapped = any(getattr(address, "ipv4_mapped", None) for address in (inside, other))
    if not mapped:
        assert first <= str(addresses.sort_key(str(inside))) <= last
        is_in = other in ipaddress.ip_network(block, strict=False)
        assert (first <= str(addresses.sort_key(str(other))) <= last) == is_in


def test_an_ipv4_address_in_ipv6_clothes_is_the_ipv4_address() -> None:
    assert addresses.sort_key("::ffff:192.0.2.1") == addresses.sort_key("192.0.2.1") == "4c0000201"
    assert addresses.key_range("::ffff:192.0.2.0/120") == addresses.key_range("192.0.2.0/24")
    assert addresses.sort_key("2001:db8::1") == "6" + "20010db8" + "0" * 23 + "1"


@pytest.mark.parametrize("text", ["", None, "unix:", "192.0.2", "192.0.2.1:80"])
def test_what_is_no_address_has_no_key(text: str | None) -> None:
    assert addresses.sort_key(text) is None


@pytest.mark.parametrize("text", ["", "192.0.2.0/33", "2001:db8::/129", "host", "192.0.2.0/24/24", "192.0.2.0/ff"])
def test_what_is_no_block_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        addresses.key_range(text)
