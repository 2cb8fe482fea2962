"""No webhook reaches what it must not: every connect of this process is watched while it tries."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared import errors
from shared.settings import Settings
from shared.webhooks.targets import Guard
from tests.receiver import Answer, Receiver
from worker.webhooks.post import Sender

FORMS = [
    # loopback, as numbers of every kind that the system's resolver takes for an address
    "http://127.0.0.1:{port}/", "http://127.255.255.254:{port}/", "http://127.1:{port}/", "http://127.0.1:{port}/",
    "http://2130706433:{port}/", "http://0x7f000001:{port}/", "http://0x7f.0x0.0x0.0x1:{port}/", "http://0x7f.1:{port}/",
    "http://017700000001:{port}/", "http://0177.0.0.1:{port}/", "http://0177.0.0.0x1:{port}/",
    "http://00000177.0.0.1:{port}/", "http://0:{port}/", "http://0.0.0.0:{port}/",
    # loopback by name
    "http://localhost:{port}/", "http://LOCALHOST:{port}/", "http://localhost.:{port}/", "http://127.0.0.1.:{port}/",
    "https://localhost:{port}/",
    # loopback in IPv6, and IPv4 carried in IPv6
    "http://[::1]:{port}/", "http://[0:0:0:0:0:0:0:1]:{port}/", "http://[::]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/", "http://[::ffff:7f00:1]:{port}/", "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:0:127.0.0.1]:{port}/", "http://[64:ff9b::127.0.0.1]:{port}/", "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/", "http://[2001:0:7f00:1::]:{port}/",
    # link-local, unique-local, site-local, with a zone
    "http://[fe80::1]:{port}/", "http://[fe80::1%25lo]:{port}/", "http://[fc00::1]:{port}/", "http://[fec0::1]:{port}/",
    "http://[fd00:ec2::254]/latest/meta-data",
    # the clouds' metadata, private, shared (CGNAT), multicast, broadcast
    "http://169.254.169.254/latest/meta-data", "http://2852039166/", "http://0xa9fea9fe/", "http://10.0.0.1:{port}/",
    "http://172.16.0.1:{port}/", "http://192.168.0.1:{port}/", "http://3232235521:{port}/", "http://100.64.0.1:{port}/",
    "http://198.18.0.1:{port}/", "http://224.0.0.1:{port}/", "http://[ff02::1]:{port}/", "http://255.255.255.255:{port}/",
    # what one parser takes for something else than another
    "http://example.org@127.0.0.1:{port}/", "http://127.0.0.1:{port}\\@example.org/", "http://127.0.0.1:{port}#@example.org/",
    "http://example.org#@127.0.0.1:{port}/", "http://127.0.0.1%2f:{port}/", "http://127.0.0.1\t:{port}/",
    "http://１２７.0.0.1:{port}/", "http://①②⑦.⓪.⓪.①:{port}/", "http://127。0。0。1:{port}/", "http://ⓛocalhost:{port}/",
    # other schemes
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/_x", "ftp://127.0.0.1:{port}/", "unix:///var/run/docker.sock",
]  # fmt: skip

watched: list[tuple[Any, ...]] = []
is_watching = False


def watch(event: str, arguments: tuple[Any, ...]) -> None:
    if is_watching and event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        watched.append((event, arguments[-1]))


sys.addaudithook(watch)  # there is no way to take a hook away again; it sleeps while nothing is watched


@pytest.fixture
def connects() -> Iterator[list[tuple[Any, ...]]]:
    """What this process connects to from now on."""
    global is_watching  # noqa: PLW0603
    watched.clear()
    is_watching = True
    yield watched
    is_watching = False


@pytest.fixture
def victim() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def allowed() -> Iterator[Receiver]:
    """A receiver that the operator allows, at an address of its own."""
    receiver = Receiver(host="127.0.0.2")
    yield receiver
    receiver.close()


def sender(*, allowed: str = "", resolver: Callable[[str, int], list[str]] | None = None) -> Sender:
    networks = Settings.load(webhook_allowed_networks=allowed).webhook_networks
    return Sender(Guard(networks, resolver), timeout_seconds=5)


def test_there_are_more_than_26_forms() -> None:
    assert len(set(FORMS)) == len(FORMS) > 26


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_a_url_reaches_what_is_not_public(
    form: str, victim: Receiver, connects: list[tuple[Any, ...]]
) -> None:
    url = form.format(port=victim.port)
    outcome = sender().post(url, b"{}", {})
    assert (outcome.status, outcome.address) == (None, None)
    assert outcome.error in {"address_refused", "name_not_found"}
    assert connects == []
    assert victim.connections == 0


@pytest.mark.parametrize("form", [form for form in FORMS if ".:" not in form])  # a name with a dot may be not found
def test_each_form_is_refused_when_it_is_submitted(form: str) -> None:
    with pytest.raises(errors.InvalidWebhookUrl):
        Guard().check(form.format(port=8080))


def test_the_watch_sees_a_connect_that_is_allowed(victim: Receiver, connects: list[tuple[Any, ...]]) -> None:
    assert sender(allowed="127.0.0.1").post(victim.url(), b"{}", {}).status == 204
    assert connects == [("socket.connect", ("127.0.0.1", victim.port))]
    assert victim.connections == 1


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"]],
)
def test_a_name_that_stands_for_a_private_address_is_refused(
    addresses: list[str], victim: Receiver, connects: list[tuple[Any, ...]]
) -> None:
    url = victim.url(host="innocent.example")
    assert sender(resolver=lambda _host, _port: addresses).post(url, b"{}", {}).error == "address_refused"
    assert connects == []


def test_a_name_is_looked_up_once_so_that_it_cannot_change_between_check_and_connect(
    allowed: Receiver, victim: Receiver, connects: list[tuple[Any, ...]]
) -> None:
    answers = iter([["127.0.0.2"], ["127.0.0.1"], ["127.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    outcome = sender(allowed="127.0.0.2", resolver=rebinding).post(allowed.url(host="rebind.example"), b"{}", {})
    assert (outcome.status, outcome.address) == (204, "127.0.0.2")
    assert asked == ["rebind.example"]
    assert connects == [("socket.connect", ("127.0.0.2", allowed.port))]
    assert allowed.messages[0].headers["host"] == f"rebind.example:{allowed.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    status: int, allowed: Receiver, victim: Receiver, connects: list[tuple[Any, ...]]
) -> None:
    allowed.answer = lambda _message: Answer(status, {"Location": victim.url()})
    outcome = sender(allowed="127.0.0.2").post(allowed.url(host="127.0.0.2"), b"{}", {})
    assert (outcome.status, outcome.error, outcome.succeeded) == (status, "redirect", False)
    assert connects == [("socket.connect", ("127.0.0.2", allowed.port))]
    assert victim.connections == 0


def test_proxies_of_the_environment_are_ignored(
    allowed: Receiver, victim: Receiver, connects: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, victim.url("/"))
        monkeypatch.setenv(name.upper(), victim.url("/"))
    assert sender(allowed="127.0.0.2").post(allowed.url(host="127.0.0.2"), b"{}", {}).status == 204
    assert connects == [("socket.connect", ("127.0.0.2", allowed.port))]
    assert victim.connections == 0


def test_an_address_that_does_not_answer_gives_way_to_the_next(allowed: Receiver) -> None:
    both = sender(allowed="127.0.0.0/8", resolver=lambda _host, _port: ["127.0.0.3", "127.0.0.2"])
    assert both.post(allowed.url(host="two.example"), b"{}", {}).address == "127.0.0.2"
