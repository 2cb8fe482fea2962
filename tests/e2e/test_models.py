"""Two models in a running system: who reads is what the sender chose, and nothing else is copied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from models.bringing import packs, shelf
from shared.settings import Settings
from tests import packs as made
from tests import tiny_foreign
from tests.e2e.test_service import SAMPLES, System
from tests.images import saved
from tests.ports import free_port
from tests.services import wait_until


def block_image() -> bytes:
    """What the tiny model reads something in."""
    image = Image.new("L", (300, 40), 255)
    ImageDraw.Draw(image).rectangle((40, 0, 80, 40), fill=0)
    return saved(image)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("models")
    strong = tiny_foreign.write(folder / "strong.onnx")
    settings = Settings.load(
        data_dir=folder / "data", port=free_port(), workers=1, api_processes=1, models=f"crnn-zh-en,{strong}"
    )
    system = System(settings, folder)
    yield system
    system.end()


def test_readiness_names_all_models(system: System) -> None:
    status, ready = system.call("/readyz")
    assert status == 200
    told = {(model["name"], model["role"]): model["workers"] for model in ready["models"]}
    assert told == {("detector-lines", "finds"): 1, ("crnn-zh-en", "reads"): 1, ("strong", "stronger"): 1}


@pytest.mark.parametrize(
    ("option", "reader"),
    [("quality=fast", "crnn-zh-en"), ("quality=best", "strong"), ("model=strong", "strong"), ("", "crnn-zh-en")],
)
def test_who_reads_is_what_the_sender_chose(system: System, option: str, reader: str) -> None:
    job = system.submit((SAMPLES / "line-english.png").read_bytes(), f"layout=line&{option}")
    assert (job["state"], job["result"]["model"]["name"]) == ("succeeded", reader)


def test_a_line_in_doubt_is_read_by_both(system: System) -> None:
    result = system.submit(block_image(), "layout=line&quality=balanced")["result"]
    assert (result["model"]["name"], result["stronger_model"]["name"]) == ("crnn-zh-en", "strong")
    assert [line["model"] for line in result["pages"][0]["lines"]] == ["strong"]


def test_a_copy_is_of_the_same_quality(system: System) -> None:
    content = (SAMPLES / "line-mixed.png").read_bytes()

    def submit(quality: str) -> dict[str, object]:
        return system.call(f"/v1/jobs?layout=line&quality={quality}", content)[1]

    first = submit("fast")
    assert submit("fast")["copied_from"] == first["id"]
    assert submit("best")["copied_from"] is None


def test_a_worker_whose_stronger_model_is_damaged_reads_with_the_fast_one_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = made.wheel(tmp_path)
    monkeypatch.setattr(packs, "PACKS", {"acme": made.pack(wheel)})
    recogniser, _ = packs.install("acme", tmp_path / "installed", wheel)
    (recogniser / "model.onnx").write_bytes(b"damaged")
    given = {"models": "crnn-zh-en,acme", "models_dir": tmp_path / "installed"}
    settings = Settings.load(data_dir=tmp_path / "data", port=free_port(), workers=1, api_processes=1, **given)
    system = System(settings, tmp_path)
    try:
        job = system.submit((SAMPLES / "line-english.png").read_bytes(), "layout=line&quality=balanced")
        assert (job["state"], job["result"]["model"]["name"]) == ("succeeded", "crnn-zh-en")
        assert "The stronger model cannot be used" in system.up.said
        status, problem = system.call("/v1/jobs?quality=best", (SAMPLES / "line-english.png").read_bytes())
        assert (status, problem["code"]) == (422, "no_stronger_model")
    finally:
        system.end()


def test_a_model_that_is_installed_while_workers_run_is_taken_up_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    wheel, folder = made.wheel(tmp_path), tmp_path / "installed"
    pack = made.pack(wheel)
    given = {"models": "crnn-zh-en,acme", "models_dir": folder}
    settings = Settings.load(data_dir=tmp_path / "data", port=free_port(), workers=1, api_processes=1, **given)
    system = System(settings, tmp_path)

    def stronger() -> list[str | None]:
        return [child.stronger for child in system.children()]

    def read(quality: str) -> str:
        job = system.submit((SAMPLES / "line-english.png").read_bytes(), f"layout=line&quality={quality}")
        return str(job["result"]["model"]["name"])

    try:
        assert stronger() == [None]
        packs.install_pack("acme", pack, folder, wheel)
        wait_until(lambda: stronger() == ["acme"], seconds=30, what="the model is taken up")
        assert (read("best"), read("fast")) == ("acme", "crnn-zh-en")
        (folder / "acme" / "model.onnx").write_bytes(b"damaged")
        wait_until(lambda: "The stronger model cannot be used" in system.up.said, seconds=30, what="it is noticed")
        assert (read("best"), stronger()) == ("acme", ["acme"])
        shelf.remove("acme", folder)
        wait_until(lambda: stronger() == [None], seconds=30, what="it is let go")
    finally:
        system.end()
