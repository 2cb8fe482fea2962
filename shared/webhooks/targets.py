"""Where a webhook may go: any public address, and no other unless the operator allows it.

A webhook lets a client make this server send requests, from inside the network that the server stands in. So every
address that a name stands for is judged, and the caller connects to the very addresses that were judged: asking for the
name a second time could give another answer.
"""

# ruff: noqa: N818
from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from shared import errors
from shared.settings import Network

MAX_URL_LENGTH = 2000
SUBMIT_LOOKUP_SECONDS = 2.0
MAX_LOOKUPS = 64
"""Look-ups at once of one process. While the name server is silent, each keeps its thread for half a minute."""
DEFAULT_PORTS = {"http": 80, "https": 443}
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]

_lookups = threading.BoundedSemaphore(MAX_LOOKUPS)
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_REFUSED = [
    ipaddress.ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48",
    )
]  # fmt: skip
"""What is not the public internet. Source: IANA's registries of special-purpose addresses; 6to4 and Teredo, which
would carry a private IPv4 address along, are among it."""


class NameNotFound(Exception):
    """The name stands for no address, or nobody could say in time."""


class AddressRefused(Exception):
    """The name stands for an address that no webhook may go to."""


@dataclass(frozen=True)
class Target:
    """A webhook's URL, taken apart."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query string; what stands in the first line of the request."""

    @property
    def lane(self) -> str:
        """Deliveries to the same server queue behind one another."""
        return f"{self.host}:{self.port}"


def parse(url: str) -> Target:
    """Take a webhook's URL apart.

    Raises:
        InvalidWebhookUrl: It is not one that a webhook can be sent to.
    """
    if not url or len(url) > MAX_URL_LENGTH or not all("!" <= character <= "~" for character in url) or "\\" in url:
        raise _invalid("The webhook URL must be 1 to 2000 ASCII characters without spaces. Percent-encode the others.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _invalid("The webhook URL cannot be read. Write it like https://example.org/hook.") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise _invalid("The webhook URL must begin with http:// or https://. Correct it.")
    if "@" in parts.netloc:
        raise _invalid("The webhook URL holds credentials. Leave them out; the signature says who sends it.")
    if not parts.hostname or "%" in parts.hostname or port == 0:
        raise _invalid("The webhook URL names no host. Write it like https://example.org/hook.")
    if "#" in url:
        raise _invalid("The webhook URL holds a fragment (#…), which is never sent. Leave it out.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or DEFAULT_PORTS[parts.scheme], path)


class Guard:
    """Says which addresses a target has, and refuses it where one of them is not public and not allowed."""

    def __init__(self, allowed: Sequence[Network] = (), resolver: Resolver | None = None) -> None:
        """Allow some networks beside the public internet.

        Args:
            allowed: Networks of the operator's own.
            resolver: Gives the addresses of a name; the system's, unless a test brings another.
        """
        self._allowed = allowed
        self._resolver = resolver or system_resolver

    def check(self, url: str) -> Target:
        """Judge a URL when it is given to us. A name that cannot be looked up right now passes: it is judged again.

        Raises:
            InvalidWebhookUrl: It can never be sent to, or not with these settings.
        """
        target = parse(url)
        try:
            self.resolve(target, seconds=SUBMIT_LOOKUP_SECONDS)
        except AddressRefused:  # which address it is, the client need not learn: it may be a name of our own network
            raise _invalid(
                "The webhook URL leads to an address that is not public. Use another, or let the operator allow its "
                "network with OCRELAY_WEBHOOK_ALLOWED_NETWORKS."
            ) from None
        except NameNotFound:
            pass
        return target

    def resolve(self, target: Target, *, seconds: float) -> list[str]:
        """Return the addresses of a target, all of them judged: connect to these and to nothing else.

        Raises:
            NameNotFound: There is none, or the answer took longer than `seconds`.
            AddressRefused: One of them is refused.
        """
        found = _within(seconds, lambda: self._resolver(target.host, target.port))
        if not found:
            raise NameNotFound(target.host)
        for address in found:
            if not self.allows(address):
                raise AddressRefused(address)
        return found

    def allows(self, address: str) -> bool:
        """Return whether a webhook may go to this address."""
        try:
            real = _unwrapped(ipaddress.ip_address(address))
        except ValueError:  # such as one with a zone, fe80::1%eth0
            return False
        if any(real in network for network in self._allowed if network.version == real.version):
            return True
        if isinstance(real, ipaddress.IPv6Address) and real not in _PUBLIC_V6:
            return False
        return real.is_global and not any(real in block for block in _REFUSED if block.version == real.version)


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name; also of the odd forms of a number that it takes for one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameNotFound(f"{host}: {error}") from None
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries along, where the connection would end at that."""
    if isinstance(address, ipaddress.IPv6Address) and (address in _MAPPED or address in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _within(seconds: float, look_up: Callable[[], list[str]]) -> list[str]:
    """Look up in a thread of its own: the system's resolver knows no time limit."""
    answers: list[list[str]] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(look_up())
        except NameNotFound as failure:
            failures.append(failure)
        finally:
            _lookups.release()

    if not _lookups.acquire(timeout=seconds):
        raise NameNotFound("too many look-ups are waiting for an answer")
    thread = threading.Thread(target=run, name="look-up", daemon=True)
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not answers:
        raise NameNotFound("the look-up took too long")
    return answers[0]


def _invalid(message: str) -> errors.InvalidWebhookUrl:
    return errors.InvalidWebhookUrl(message)
