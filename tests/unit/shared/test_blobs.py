"""Uploads on disk."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared import errors
from shared.uploads.blobs import Blobs

CONTENT = b"some bytes"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def test_what_is_put_can_be_got_by_its_hash(blobs: Blobs) -> None:
    assert blobs.put(CONTENT) == SHA256
    assert blobs.get(SHA256) == CONTENT
    assert blobs.path(SHA256) == blobs.root / SHA256[:2] / SHA256


def test_putting_the_same_bytes_twice_keeps_one_file(blobs: Blobs) -> None:
    blobs.put(CONTENT)
    blobs.put(CONTENT)
    assert [path for path in blobs.root.rglob("*") if path.is_file()] == [blobs.path(SHA256)]


def test_many_threads_may_put_the_same_bytes_at_once(blobs: Blobs) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(blobs.put, [CONTENT] * 16)) == {SHA256}
    assert [path for path in blobs.root.rglob("*") if path.is_file()] == [blobs.path(SHA256)]


def test_bytes_that_are_gone_are_reported_as_missing(blobs: Blobs) -> None:
    with pytest.raises(errors.DocumentMissing):
        blobs.get(SHA256)


def test_bytes_that_changed_on_disk_are_not_handed_out(blobs: Blobs) -> None:
    blobs.put(CONTENT)
    blobs.path(SHA256).write_bytes(b"other bytes")
    with pytest.raises(errors.DocumentChanged):
        blobs.get(SHA256)


def test_putting_again_mends_bytes_that_changed_on_disk(blobs: Blobs) -> None:
    blobs.put(CONTENT)
    blobs.path(SHA256).write_bytes(b"")
    blobs.put(CONTENT)
    assert blobs.get(SHA256) == CONTENT


@pytest.mark.parametrize("name", ["", "../../etc/passwd", SHA256.upper(), SHA256[:-1], SHA256 + "0", SHA256 + "\n"])
def test_a_name_that_is_no_hash_never_becomes_a_path(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        blobs.get(name)


def test_a_full_disk_leaves_nothing_half_written(blobs: Blobs) -> None:
    blobs.path(SHA256).parent.mkdir(parents=True)
    blobs.path(SHA256).mkdir()  # the rename onto a folder fails, as late as anything can
    (blobs.path(SHA256) / "in the way").touch()
    with pytest.raises(OSError, match=r"."):
        blobs.put(CONTENT)
    assert [path.name for path in blobs.root.rglob("*") if path.is_file()] == ["in the way"]
