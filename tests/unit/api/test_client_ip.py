"""Who asks: what proxies say, what clients pretend, and how much of it is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from api.access.client_ip import bucket, client_ip, truncated
from api.app import app_of
from api.service.parts import Parts
from shared import jobs
from shared.audit import trail
from shared.settings import Settings
from tests.unit.api.conftest import png

PROXIES = "10.0.0.0/8, 2001:db8:aaaa::/48"
FORWARDED = "Forwarded"
X_FORWARDED_FOR = "X-Forwarded-For"


def seen(peer: str, *headers: tuple[str, str], header: str = X_FORWARDED_FOR, proxies: str = PROXIES) -> str | None:
    """The address that counts; several headers of one name come as a WSGI server gives them, with commas."""
    settings = Settings.load(trusted_proxies=proxies, trusted_proxy_header=header)
    builder = EnvironBuilder(environ_overrides={"REMOTE_ADDR": peer})
    for name in {name for name, _ in headers}:
        builder.headers[name] = ", ".join(value for each, value in headers if each == name)
    return client_ip(Request(builder.get_environ()), settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("peer", "value", "expected"),
    [
        ("198.51.100.9", "203.0.113.7", "198.51.100.9"),  # no proxy of ours: the header is a claim
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "6.6.6.6, 203.0.113.7", "203.0.113.7"),  # the client wrote the first
        ("10.0.0.1", "6.6.6.6, 203.0.113.7, 10.0.0.2, 10.0.0.3", "203.0.113.7"),
        ("10.0.0.1", "10.9.9.9, 203.0.113.7", "203.0.113.7"),  # a client that calls itself a proxy
        ("10.0.0.1", "10.0.0.7, 10.0.0.2", "10.0.0.7"),  # a client in our own network
        ("10.0.0.1", "127.0.0.1", "127.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", " , ,", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, unknown", "10.0.0.1"),
        ("10.0.0.1", "6.6.6.6, <script>, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.7:51234", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:51234", "2001:db8::7"),
        ("10.0.0.1", "2001:DB8:0:0:0:0:0:7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("::ffff:10.0.0.1", "6.6.6.6, 203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7"),
        ("2001:db8:aaaa::1", "6.6.6.6, 2001:db8:bbbb::1", "2001:db8:bbbb::1"),
        ("fe80::1%eth0", "6.6.6.6", "fe80::1"),
        ("10.0.0.1", "203.0.113.007", "10.0.0.1"),  # some read that as octal
        ("10.0.0.1", "0x7f.1", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4.5", "10.0.0.1"),
    ],
)
def test_only_what_our_proxies_wrote_is_believed(peer: str, value: str, expected: str) -> None:
    assert seen(peer, (X_FORWARDED_FOR, value)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("for=203.0.113.7", "203.0.113.7"),
        ("For=203.0.113.7;proto=https;by=10.0.0.1", "203.0.113.7"),
        ('proto=http; host="ocr.example"; for="203.0.113.7:4711"', "203.0.113.7"),
        ('for="[2001:db8::7]:4711"', "2001:db8::7"),
        ('for="[2001:db8::7]:_secret"', "2001:db8::7"),
        ('for="[::ffff:203.0.113.7]"', "203.0.113.7"),
        ("for=6.6.6.6, for=203.0.113.7", "203.0.113.7"),
        ('for=6.6.6.6, for=203.0.113.7, for="10.0.0.2:80"', "203.0.113.7"),
        ('for=6.6.6.6, for="_hidden", for=10.0.0.2', "10.0.0.2"),  # a proxy of ours hides who came before
        ("for=6.6.6.6, for=unknown", "10.0.0.1"),
        ("for=_SEVKISEK", "10.0.0.1"),
        ('for="6.6.6.6, for=203.0.113.7', "203.0.113.7"),  # a quote that the client left open
        ('for=6.6.6.6;x=", for=203.0.113.7', "203.0.113.7"),
        ('x="for=6.6.6.6", for=203.0.113.7', "203.0.113.7"),
        ("for=203.0.113.7;for=6.6.6.6", "10.0.0.1"),
        ("proto=https", "10.0.0.1"),
        ("203.0.113.7", "10.0.0.1"),
        ("for=", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_forwarded_is_read_as_the_standard_says(value: str, expected: str) -> None:
    assert seen("10.0.0.1", (FORWARDED, value), header=FORWARDED) == expected
    assert seen("198.51.100.9", (FORWARDED, value), header=FORWARDED) == "198.51.100.9"


def test_several_lines_are_one_list() -> None:
    lines = [(X_FORWARDED_FOR, "6.6.6.6"), (X_FORWARDED_FOR, "203.0.113.7, 10.0.0.2")]
    assert seen("10.0.0.1", *lines) == "203.0.113.7"
    lines = [(FORWARDED, "for=6.6.6.6"), (FORWARDED, 'for="[2001:db8::7]:1", for=10.0.0.2')]
    assert seen("10.0.0.1", *lines, header=FORWARDED) == "2001:db8::7"


@pytest.mark.parametrize(("header", "other"), [(FORWARDED, X_FORWARDED_FOR), (X_FORWARDED_FOR, FORWARDED)])
def test_the_header_that_our_proxies_do_not_write_comes_from_the_client(header: str, other: str) -> None:
    claim = "for=6.6.6.6" if other == FORWARDED else "6.6.6.6"
    truth = "for=203.0.113.7" if header == FORWARDED else "203.0.113.7"
    assert seen("10.0.0.1", (other, claim), header=header) == "10.0.0.1"
    assert seen("10.0.0.1", (other, claim), (header, truth), header=header) == "203.0.113.7"


@pytest.mark.parametrize("name", ["X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP", "X-Forwarded"])
def test_headers_that_others_believe_mean_nothing(name: str) -> None:
    assert seen("10.0.0.1", (name, "6.6.6.6")) == "10.0.0.1"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("203.0.113.77", "203.0.113.0"), ("2001:db8:1:2:3::4", "2001:db8:1::"), ("::ffff:203.0.113.77", "203.0.113.0")],
)
def test_addresses_are_cut_for_privacy(text: str, expected: str) -> None:
    assert truncated(text, Settings.load(client_ip_bits_v4=24, client_ip_bits_v6=48)) == expected
    assert truncated("203.0.113.77", Settings.load()) == "203.0.113.77"
    assert truncated("203.0.113.77", Settings.load(client_ip_bits_v4=0)) == "0.0.0.0"


def test_limits_count_an_ipv4_address_and_an_ipv6_network() -> None:
    assert bucket("203.0.113.7") == "203.0.113.7"
    assert bucket("2001:db8:1:2:aaaa::1") == bucket("2001:db8:1:2:bbbb::2") == "2001:db8:1:2::"
    assert bucket("2001:db8:1:3::1") != bucket("2001:db8:1:2::1")
    assert bucket(None) == "unknown"


def test_what_is_stored_and_logged_is_cut_and_can_be_found(parts: Parts) -> None:
    changes: dict[str, Any] = {"client_ip_bits_v4": 24, "allow_remote_without_keys": True, "wait_limit_seconds": 1}
    private = replace(parts, settings=parts.settings.model_copy(update=changes))
    client = app_of(private).test_client()
    peer = {"environ_overrides": {"REMOTE_ADDR": "203.0.113.77"}}
    job_id = client.post("/v1/jobs", data=png(), headers={"Idempotency-Key": "1"}, **peer).json["id"]
    with parts.database.read() as connection:
        job = jobs.get(connection, job_id)
        (event,) = trail.list_events(connection, job_id=job_id)
        scopes = connection.exec_driver_sql("SELECT scope FROM idempotency_keys").scalars().all()
    assert job is not None and job.client_ip == event.client_ip == "203.0.113.0"
    assert scopes == ["ip:203.0.113.0"]
    assert [job["id"] for job in client.get("/v1/jobs?client_ip=203.0.113.77").json["jobs"]] == [job_id]
    assert client.get("/v1/jobs?client_ip=203.0.114.77").json["jobs"] == []
