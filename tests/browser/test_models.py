"""The page of models: cards, another model for every worker child, the way back, and why a worker refused."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from api.service.parts import Parts
from shared import registry, workers
from shared.audit.actor import OPERATOR, worker
from shared.registry.record import Role
from tests.browser.conftest import Open

HOSTILE = "<img src=x onerror=alert(1)>"


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


def child(parts: Parts, pid: int) -> str:
    told = {"name": "paper", "version": "1", "sha256": "p" * 64}
    with parts.database.write() as connection:
        return workers.register(
            connection, node="n", host="h", pid=pid, model=told, reader_sha256=None, on_hand={"receipts": "r" * 64}
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
