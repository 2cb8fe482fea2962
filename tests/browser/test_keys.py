"""The page of API keys: made and shown once, used, revoked; what a key may not do is not offered."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from api.service.parts import Parts
from shared import keys
from shared.audit.actor import OPERATOR
from shared.keys.record import Scope
from tests.browser.conftest import Open

HOSTILE = '"><img src=x onerror=alert(1)>'


def sign_in(page: Page, text: str) -> None:
    page.get_by_label("API key").fill(text)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()


def key_of(parts: Parts, *scopes: Scope, name: str = "test") -> str:
    with parts.database.write() as connection:
        return keys.create(connection, name=name, scopes=scopes, actor=OPERATOR)[1]


def make(page: Page, name: str, *scopes: str) -> str:
    page.get_by_label("Name").fill(name)
    for scope in scopes:
        page.get_by_role("checkbox", name=scope).check()
    page.get_by_role("button", name="Make a key").click()
    return page.locator("#once").inner_text()


def test_the_first_key_is_shown_once_and_closes_the_door(open_page: Open) -> None:
    page = open_page("/keys")
    text = make(page, "first", "admin")
    expect(page.get_by_text("From now on everybody needs a key")).to_be_visible()
    page.goto("/keys")
    expect(page.get_by_label("API key")).to_be_visible()
    sign_in(page, text)
    expect(page.get_by_role("row", name="first")).to_contain_text("good")
    assert text not in page.content()


def test_a_key_with_a_hostile_name_is_made_used_and_revoked(open_page: Open, parts: Parts) -> None:
    text = key_of(parts, Scope.ADMIN, name="chief")
    page = open_page("/keys")
    sign_in(page, text)
    made = make(page, HOSTILE, "read")
    row = page.get_by_role("row", name=HOSTILE)
    expect(row).to_contain_text("never")
    other = open_page("/jobs")
    sign_in(other, made)
    expect(other.get_by_role("heading", name="Jobs")).to_be_visible()
    page.goto("/keys")
    expect(row).not_to_contain_text("never")
    page.on("dialog", lambda dialog: dialog.accept())
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_contain_text("revoked")
    expect(row.get_by_role("button")).to_have_count(0)
    other.reload()
    expect(other.get_by_label("API key")).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_who_may_only_read_is_offered_nothing_that_is_refused(open_page: Open, parts: Parts) -> None:
    text = key_of(parts, Scope.READ, name=HOSTILE)
    page = open_page("/jobs")
    sign_in(page, text)
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    offered = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert not {"Read", "Review", "Models", "Keys"} & set(offered)
    for path in ("/keys", "/models", "/review"):
        page.goto(path)
        expect(page.get_by_role("main")).to_contain_text("Your key may not do this")
    assert page.locator("img[src=x]").count() == 0


def test_who_may_only_send_is_shown_no_line_of_any_result(open_page: Open, parts: Parts) -> None:
    text = key_of(parts, Scope.SUBMIT, name="sends")
    page = open_page("/")
    sign_in(page, text)
    assert "Review" not in page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    page.goto("/review")
    expect(page.get_by_role("main")).to_contain_text("Your key may not do this")


def test_a_key_that_may_do_nothing_is_refused_in_words(open_page: Open) -> None:
    page = open_page("/keys", java_script_enabled=False)
    page.get_by_label("Name").fill("empty")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_role("main")).to_contain_text("Choose at least one scope")
    page.goto("/keys")
    expect(page.get_by_text("There is no key")).to_be_visible()
