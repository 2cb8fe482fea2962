"""What every store of uploads does, on the disk and in memory alike."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from shared import errors
from shared.settings import Settings
from shared.uploads.blobs import Blobs
from shared.uploads.store import UploadStore, open_uploads
from tests.uploads_in_memory import UploadsInMemory

CONTENT = b"some bytes"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LATER = 4e9
ROOMS = ("api", "worker", "shared")


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> UploadStore:
    return UploadsInMemory() if request.param == "memory" else Blobs(tmp_path / "blobs")


def listed(store: UploadStore, *, before: float = LATER) -> set[str]:
    return {sha256 for number in range(256) for sha256, _ in store.stored(f"{number:02x}", before=before)}


def test_what_is_put_is_there_under_its_hash(store: UploadStore) -> None:
    assert not store.exists(SHA256)
    assert store.put(CONTENT) == SHA256
    assert store.exists(SHA256)
    assert store.get(SHA256) == CONTENT


def test_a_hash_that_is_known_is_taken_at_its_word_and_checked_when_it_is_read(store: UploadStore) -> None:
    assert store.put(CONTENT, SHA256) == SHA256
    assert store.get(SHA256) == CONTENT
    wrong = "0" * 64
    store.put(CONTENT, wrong)
    with pytest.raises(errors.DocumentChanged):
        store.get(wrong)


def test_what_was_never_put_is_missing(store: UploadStore) -> None:
    with pytest.raises(errors.DocumentMissing):
        store.get(SHA256)
    assert not store.discard(SHA256, lambda: False)


def test_what_nobody_needs_is_discarded(store: UploadStore) -> None:
    store.put(CONTENT)
    assert store.discard(SHA256, lambda: False)
    assert not store.exists(SHA256)
    assert listed(store) == set()


def test_what_somebody_needs_after_all_is_brought_back(store: UploadStore) -> None:
    store.put(CONTENT)
    assert not store.discard(SHA256, lambda: True)
    assert store.get(SHA256) == CONTENT


def test_bytes_that_are_set_aside_are_read_listed_and_brought_back(store: UploadStore) -> None:
    store.put(CONTENT)

    def killed() -> bool:
        assert (store.exists(SHA256), store.get(SHA256), listed(store)) == (False, CONTENT, {SHA256})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.discard(SHA256, killed)
    store.bring_back(SHA256)
    assert store.exists(SHA256)


def test_what_was_discarded_meanwhile_is_kept_by_storing_it_again(store: UploadStore) -> None:
    store.put(CONTENT)
    store.discard(SHA256, lambda: False)
    store.keep(SHA256, CONTENT)
    assert store.get(SHA256) == CONTENT


def test_only_what_is_old_enough_is_listed(store: UploadStore) -> None:
    store.put(CONTENT)
    store.put(b"other bytes")
    assert listed(store) == {SHA256, hashlib.sha256(b"other bytes").hexdigest()}
    assert listed(store, before=1.0) == set()
    assert [name for name, _ in store.stored(SHA256[:2], before=LATER)] == [SHA256]


@pytest.mark.parametrize("name", ["", "../../etc/passwd", SHA256.upper(), SHA256 + "0"])
def test_a_name_that_is_no_hash_is_refused(store: UploadStore, name: str) -> None:
    for ask in (store.get, store.exists, store.bring_back):
        with pytest.raises(ValueError, match="SHA-256"):
            ask(name)


def test_the_settings_say_which_store(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    open_uploads(settings).put(CONTENT)
    assert Blobs(settings.blobs_dir).get(SHA256) == CONTENT


def test_only_the_folder_itself_knows_that_uploads_are_files() -> None:
    root = Path(__file__).parents[3]
    sources = [path for room in ROOMS for path in (root / room).rglob("*.py") if path.name != "blobs.py"]
    paths = re.compile(r"blobs\.(path|root)\b|\bBlobs\(")
    found = [str(path.relative_to(root)) for path in sources if paths.search(path.read_text())]
    assert found == ["shared/uploads/store.py"]
