"""Which URLs a webhook may have, and which addresses it may go to."""

from __future__ import annotations

import threading

import pytest

from shared import errors
from shared.settings import Settings
from shared.webhooks.targets import AddressRefused, Guard, NameNotFound, parse

PUBLIC = "93.184.216.34"


def guard_of(*addresses: str, allowed: str = "") -> Guard:
    return Guard(Settings.load(webhook_allowed_networks=allowed).webhook_networks, lambda _host, _port: [*addresses])


def test_a_url_is_taken_apart() -> None:
    target = parse("https://Example.org/hooks/a?b=%20c")
    assert (target.scheme, target.host, target.port, target.path) == ("https", "example.org", 443, "/hooks/a?b=%20c")
    assert parse("http://example.org:8080").path == "/"
    assert parse("http://[2606:4700::1]:81/x").lane == "2606:4700::1:81"


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org/hook", "ftp://example.org/", "file:///etc/passwd", "gopher://example.org/", "//example.org/",
        "javascript:alert(1)", "http:///hook", "http://", "http://:80/", "https://user@example.org/",
        "https://user:secret@example.org/", "http://@example.org/", "http://example.org:0/", "http://example.org:65536/",
        "http://example.org:x/", "http://exa mple.org/", "http://example.org/a b", "http://example.org/\r\nHost: x",
        "http://example.org\\@127.0.0.1/", "http://例子.测试/", "http://１２７.0.0.1/", "http://[::1/", "http://[fe80::1%25eth0]/",
        "http://example.org/#part", "http://example.org/" + "a" * 2000, "http://example.org/\x00",
    ],
)  # fmt: skip
def test_a_url_that_no_webhook_can_have_is_refused(url: str) -> None:
    with pytest.raises(errors.InvalidWebhookUrl):
        guard_of(PUBLIC).check(url)


@pytest.mark.parametrize(
    "address",
    [PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"],
)
def test_a_public_address_is_allowed(address: str) -> None:
    assert guard_of().allows(address)
    assert guard_of(address).check("https://example.org/").host == "example.org"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.255.255.254",
        "169.254.1.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1",
        "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1",
        "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
        "64:ff9b::169.254.169.254", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::",
        "2002:a00:1::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
        "ff02::1", "no address",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    assert not guard_of().allows(address)
    with pytest.raises(errors.InvalidWebhookUrl, match="not public"):
        guard_of(address).check("https://example.org/")


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        guard_of(PUBLIC, "10.0.0.1").resolve(parse("http://example.org/"), seconds=30)


def test_the_operator_may_allow_networks_of_their_own() -> None:
    guard = guard_of(allowed="10.1.0.0/16, ::1")
    assert guard.allows("10.1.2.3") and guard.allows("::ffff:10.1.2.3") and guard.allows("::1")
    assert not guard.allows("10.2.0.1") and not guard.allows("127.0.0.1")


def test_the_refusal_does_not_tell_which_address_a_name_has() -> None:
    with pytest.raises(errors.InvalidWebhookUrl) as refusal:
        guard_of("10.11.12.13").check("http://intranet/")
    assert "10.11.12.13" not in refusal.value.message


def test_a_name_that_cannot_be_looked_up_passes_at_first_and_fails_when_it_is_sent() -> None:
    def away(_host: str, _port: int) -> list[str]:
        raise NameNotFound("away")

    guard = Guard((), away)
    guard.check("https://example.org/")
    with pytest.raises(NameNotFound):
        guard.resolve(parse("https://example.org/"), seconds=30)


def test_a_look_up_that_hangs_is_given_up() -> None:
    forever = threading.Event()

    def hanging(_host: str, _port: int) -> list[str]:
        forever.wait(60)
        return [PUBLIC]

    with pytest.raises(NameNotFound, match="too long"):
        Guard((), hanging).resolve(parse("https://example.org/"), seconds=0.05)
    forever.set()
