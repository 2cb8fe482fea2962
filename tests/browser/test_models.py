"""The page of models: cards, another model for every worker child, the way back, and why a worker refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from api.service import bringing, models
from api.service.caller import NOBODY
from api.service.parts import Parts
from shared import errors, registry, workers
from shared.audit import trail
from shared.audit.actor import OPERATOR, worker
from shared.keys.record import Scope
from shared.registry.record import Role
from shared.settings import Settings
from tests import tiny_foreign
from tests.browser.conftest import Open
from tests.browser.test_every_page import barriers
from tests.browser.test_keys import key_of, sign_in

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module", autouse=True)
def asked_for_packs() -> None:
    """The first page that shows them waits for a command, which takes as long as a busy machine lets it."""
    bringing.packs()


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"models_dir": tmp_path / "models"})


@pytest.fixture
def children(parts: Parts) -> list[str]:
    """Two models and a detector, and two worker children that read with the first."""
    note(parts, "paper", "recogniser")
    note(parts, "receipts", "recogniser", licence=HOSTILE)
    note(parts, "boxes", "detector")
    return [child(parts, 1), child(parts, 2)]


def note(parts: Parts, name: str, kind: str, licence: str = "0BSD") -> None:
    sha256, told = name[0] * 64, {"licence": licence, "source": "https://models.example", "characters": 6000}
    with parts.database.write() as connection:
        registry.note(
            connection, name=name, kind=kind, version="1", sha256=sha256, card=told, path="/m", actor=OPERATOR
        )


def child(parts: Parts, pid: int, detector: str | None = None) -> str:
    told = {"name": "paper", "version": "1", "sha256": "p" * 64}
    finds = None if detector is None else {"name": detector, "version": "1", "sha256": detector[0] * 64}
    with parts.database.write() as connection:
        return workers.register(
            connection, node="n", host="h", pid=pid, model=told, on_hand={"receipts": "r" * 64}, detector=finds
        )


def test_another_model_is_activated_and_every_child_is_seen_to_take_it_up(
    open_page: Open, parts: Parts, children: list[str]
) -> None:
    page = open_page("/models")
    row, card = page.locator("tr[data-role=recogniser]"), page.locator("[data-model=receipts]")
    expect(row).to_contain_text("paper")
    expect(card).to_contain_text(HOSTILE)
    card.get_by_role("button", name="Let it read every line").click()
    expect(row).to_contain_text("receipts")
    expect(row).to_contain_text("workers are taking it up")
    expect(row.get_by_text("not yet")).to_have_count(2)
    with parts.database.write() as connection:
        number = registry.current(connection)[Role.RECOGNISER].number
        registry.take_up(connection, [number], children[0])
    expect(row.get_by_text("has it", exact=True)).to_have_count(1)
    with parts.database.write() as connection:
        registry.take_up(connection, [number], children[1])
        registry.settle(connection, number)
    expect(row).to_contain_text("every worker has it")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Go back").click()
    expect(row).to_contain_text("as the settings say")


def test_the_cards_follow_a_switch_without_a_reload(open_page: Open, parts: Parts) -> None:
    note(parts, "boxes", "detector")
    note(parts, "frames", "detector")
    before = child(parts, 1, detector="frames")
    page = open_page("/models")
    old, new = (page.locator(f"[data-model={name}]") for name in ("frames", "boxes"))
    expect(old.locator("strong")).to_have_text("finds the lines")
    models.activate(parts, "boxes", Role.DETECTOR, NOBODY)
    child(parts, 2, detector="boxes")
    with parts.database.write() as connection:
        workers.forget(connection, before)
    expect(new.locator("strong")).to_have_text("finds the lines", timeout=15_000)
    expect(old.locator("strong")).to_have_count(0)
    expect(new.get_by_role("button")).to_have_count(0)
    expect(old.get_by_role("button", name="Let it find the lines")).to_be_visible()
    expect(page.get_by_role("button", name="Go back to the one of before")).to_be_visible()
    kept = new.element_handle()
    page.wait_for_timeout(1_500)
    assert kept.is_visible(), "only what changed comes anew"


def test_why_a_worker_refused_is_told_as_text(open_page: Open, parts: Parts, children: list[str]) -> None:
    page = open_page("/models")
    page.locator("[data-model=receipts]").get_by_role("button", name="Let it read every line").click()
    expect(page.locator("tr[data-role=recogniser]")).to_contain_text("receipts")
    with parts.database.write() as connection:
        generation = registry.current(connection)[Role.RECOGNISER]
        registry.refuse(connection, generation.number, children[0], HOSTILE)
        registry.hold(connection, generation, reason=f"golden line 3: {HOSTILE}", actor=worker("n"))
    expect(page.locator("tr[data-role=recogniser]")).not_to_contain_text("receipts")
    page.reload()
    expect(page.locator("[data-model=receipts] .problem")).to_contain_text(f"golden line 3: {HOSTILE}")
    assert page.locator("img[src=x]").count() == 0


def test_without_scripts_a_model_is_activated_too(open_page: Open, children: list[str]) -> None:
    page = open_page("/models", java_script_enabled=False)
    page.locator("[data-model=boxes]").get_by_role("button").click()
    expect(page.locator("tr[data-role=detector]")).to_contain_text("boxes")
    assert children


def test_a_model_with_a_hostile_name_is_text_and_can_be_activated(open_page: Open, parts: Parts) -> None:
    note(parts, HOSTILE, "recogniser")
    page = open_page("/models")
    page.get_by_role("region", name=HOSTILE).get_by_role("button", name="Let it read every line").click()
    expect(page.locator("tr[data-role=recogniser]")).to_contain_text(HOSTILE)
    assert page.locator("img[src=x]").count() == 0


def test_a_model_that_went_away_meanwhile_is_an_answer_in_words(
    open_page: Open, parts: Parts, children: list[str]
) -> None:
    page = open_page("/models")
    with parts.database.write() as connection:
        registry.forget(connection, "receipts", actor=OPERATOR)
    page.locator("[data-model=receipts]").get_by_role("button", name="Let it read every line").click()
    expect(page.get_by_role("main")).to_contain_text("No worker has this model")
    assert children


def test_a_model_is_added_by_its_file_and_removed_again_and_the_trail_names_the_key(
    open_page: Open, parts: Parts, tmp_path: Path
) -> None:
    file = tiny_foreign.write(tmp_path / "mine.onnx")
    boss = key_of(parts, Scope.ADMIN, name="boss")
    page = open_page("/models/bring")
    page.set_default_timeout(60_000)
    sign_in(page, boss)
    page.wait_for_url("**/models/bring")
    page.get_by_label("File (.onnx)").set_input_files(str(file))
    page.get_by_role("button", name="Add", exact=True).click()
    card = page.locator("[data-model=mine]")
    expect(card).to_contain_text("recogniser", timeout=60_000)
    assert (parts.settings.models_folder / "mine" / "model.onnx").is_file()
    page.on("dialog", lambda dialog: dialog.accept())
    card.get_by_role("button", name="Remove").click()
    expect(card).to_have_count(0, timeout=60_000)
    assert not (parts.settings.models_folder / "mine").exists()
    with parts.database.read() as connection:
        told = [one for one in trail.list_events(connection) if one.event in ("model.added", "model.removed")]
    assert [(one.event, one.actor, bool(one.key_id)) for one in told][::-1] == [
        ("model.added", "client", True),
        ("model.removed", "client", True),
    ]


def test_why_a_file_is_no_model_is_said_in_words(open_page: Open, parts: Parts, tmp_path: Path) -> None:
    file = tmp_path / "<b>.onnx"
    file.write_bytes(b"no model")
    page = open_page("/models/bring")
    page.set_default_timeout(60_000)
    page.get_by_label("File (.onnx)").set_input_files(str(file))
    page.get_by_label("Name", exact=True).fill("mine")
    with page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        page.get_by_role("button", name="Add", exact=True).click()
    assert answered.value.status == errors.ModelRefused.http_status
    problem = page.get_by_role("alert").filter(has_text="This cannot be done with the model")
    expect(problem).to_contain_text("The file is no model that onnxruntime can load", timeout=60_000)
    expect(page.get_by_label("Name", exact=True)).to_have_value("mine")
    assert not parts.settings.models_folder.exists() or list(parts.settings.models_folder.iterdir()) == []


def test_the_licence_of_a_pack_is_shown_before_it_is_installed_and_why_it_cannot_be_is_said(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    page = open_page("/models")
    page.set_default_timeout(60_000)
    page.get_by_role("link", name="Add or install a model").click()
    pack = page.locator("[data-pack=ppocr-v6]")
    expect(pack).to_contain_text("Apache-2.0", timeout=60_000)
    pack.get_by_role("button", name="Install ppocr-v6 under Apache-2.0").click()
    problem = page.get_by_role("alert").filter(has_text="This cannot be done with the model")
    expect(problem).to_contain_text("pip could not fetch rapidocr==3.10.0", timeout=60_000)


def test_the_shipped_detector_is_named_where_nobody_chose_one(open_page: Open, parts: Parts) -> None:
    note(parts, "detector-lines", "detector")
    child(parts, 1, detector="detector-lines")
    page = open_page("/models")
    expect(page.locator("tr[data-role=detector]")).to_contain_text("detector-lines")
    page.goto("/status")
    expect(page.locator("#status")).to_contain_text("detector-lines 1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("locale", "width"), [("en-GB", 1280), ("zh-CN", 390)])
def test_bringing_one_in_keeps_nobody_out(open_page: Open, scheme: str, locale: str, width: int) -> None:
    viewport = {"width": width, "height": 800}
    page = open_page("/models/bring", locale=locale, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
