from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from tests import ports

ASK_FOR = "import sys; from tests import ports; ports.PORTS = range(int(sys.argv[1]), int(sys.argv[1]) + 1)"


def test_no_port_is_handed_out_twice() -> None:
    assert len({ports.free_port() for _ in range(20)}) == 20


def test_a_port_stays_with_the_process_that_asked_for_it() -> None:
    """Also before a server listens on it, and after."""
    port = ports.free_port()
    asked = [sys.executable, "-c", ASK_FOR + "; ports.free_port()", str(port)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and f"No port from {port}" in done.stderr


def test_a_port_that_somebody_listens_on_is_not_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(ports, "PORTS", range(port, port + 1))
        with pytest.raises(AssertionError):
            ports.free_port()
