"""Packs are taken out of wheels: of one that is made here, so that no registry is needed."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

import models
from models.bringing import packs
from models.bringing.packs import Pack, PackError
from tests import packs as made


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    return made.wheel(tmp_path)


@pytest.fixture
def pack(wheel: Path) -> Pack:
    return made.pack(wheel)


def test_models_cards_and_licence_are_kept_and_nothing_else(pack: Pack, wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models"
    recogniser, detector = packs.install_pack("acme", pack, folder, wheel)
    assert sorted(path.name for path in folder.iterdir()) == ["acme", "detector-acme"]
    for part in (recogniser, detector):
        assert sorted(path.name for path in part.iterdir()) == ["LICENSE", "card.json", "model.onnx"]
        assert (part / "LICENSE").read_text() == "Do what you like."
    assert json.loads((detector / "card.json").read_text())["kind"] == "detector"


def test_what_was_installed_can_be_loaded(pack: Pack, wheel: Path, tmp_path: Path) -> None:
    recogniser, _ = packs.install_pack("acme", pack, tmp_path / "models", wheel)
    card = models.load(str(recogniser)).card
    assert (card.name, card.version, card.licence) == ("acme", "1.0", "0BSD")
    assert card.source == "acme==1.0 acme/models/rec.onnx"


def test_installing_again_replaces_what_was_there(pack: Pack, wheel: Path, tmp_path: Path) -> None:
    recogniser, _ = packs.install_pack("acme", pack, tmp_path / "models", wheel)
    (recogniser / "model.onnx").write_bytes(b"damaged")
    packs.install_pack("acme", pack, tmp_path / "models", wheel)
    assert models.load(str(recogniser)).card.name == "acme"


def test_another_wheel_is_refused_and_leaves_nothing(pack: Pack, wheel: Path, tmp_path: Path) -> None:
    wheel.write_bytes(wheel.read_bytes() + b"!")
    with pytest.raises(PackError, match="its SHA-256 is"):
        packs.install_pack("acme", pack, tmp_path / "models", wheel)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_wheel_without_the_models_is_refused_and_leaves_nothing(pack: Pack, wheel: Path, tmp_path: Path) -> None:
    described = dataclasses.replace(pack, detector="acme/models/gone.onnx")
    with pytest.raises(PackError, match=r"gone\.onnx"):
        packs.install_pack("acme", described, tmp_path / "models", wheel)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"rapidocr-3\.10\.0-py3-none-any\.whl"):
        packs.install("ppocr-v6", tmp_path / "models", tmp_path / "nowhere.whl")


def test_a_pack_is_installed_while_all_of_it_is_whole(
    pack: Pack, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packs, "PACKS", {"acme": pack})
    folder = tmp_path / "models"
    assert not packs.is_installed("acme", folder)
    recogniser, detector = packs.install("acme", folder, wheel)
    assert packs.is_installed("acme", folder)
    assert [path.name for path in packs.licence_files(recogniser)] == ["LICENSE"]
    (detector / "model.onnx").write_bytes(b"damaged")
    assert not packs.is_installed("acme", folder)
    packs.install("acme", folder, wheel)
    assert packs.is_installed("acme", folder)
    monkeypatch.setattr(packs, "PACKS", {"acme": dataclasses.replace(pack, version="1.1")})
    assert not packs.is_installed("acme", folder)


def test_a_pack_that_nobody_knows_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="ppocr-v6, ppocr-v4"):
        packs.install("ppocr-v9", tmp_path)


def test_pip_fetches_by_hash_and_builds_nothing(
    pack: Pack, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index of its own, in a folder: what pip finds there under the name, it takes only if the hash is right."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert packs.fetch(pack, _folder(tmp_path / "there")).read_bytes() == wheel.read_bytes()
    with pytest.raises(PackError, match=r"name the wheel acme-1\.0-py3-none-any\.whl as a file"):
        packs.fetch(dataclasses.replace(pack, sha256="0" * 64), _folder(tmp_path / "elsewhere"))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
