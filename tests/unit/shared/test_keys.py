"""The text of a key, what scopes include, and the commands that look after keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shared import errors, ids, keys
from shared.database import Database
from shared.keys import record
from shared.keys.commands import keys as command
from shared.keys.record import ApiKey, Scope


def test_a_key_names_its_id_and_is_never_the_same_twice() -> None:
    key_id = ids.new("key")
    texts = {record.new_text(key_id) for _ in range(100)}
    assert len(texts) == 100
    assert {record.id_of(text) for text in texts} == {key_id}
    assert all(text.startswith("ocr_") and text.isalnum() is False and text == text.lower() for text in texts)


def test_any_changed_character_is_noticed_without_a_database() -> None:
    text = record.new_text(ids.new("key"))
    for place in range(len(text)):
        other = "0" if text[place] != "0" else "1"
        assert record.id_of(text[:place] + other + text[place + 1 :]) is None


@pytest.mark.parametrize("text", ["", "ocr_", "ocr__", "ocr_a_b", " ", "ocr_" + "0" * 86, "\n", "é" * 90])
def test_what_is_no_key_names_none(text: str) -> None:
    assert record.id_of(text) is None


def holds(*scopes: Scope) -> set[Scope]:
    key = ApiKey("key_1", "k", frozenset(scopes), "", None, None, None, None, None, None)  # type: ignore[arg-type]
    return {scope for scope in Scope if key.may(scope)}


def test_admin_includes_everything_and_audit_reading() -> None:
    assert holds(Scope.ADMIN) == set(Scope)
    assert holds(Scope.AUDIT) == {Scope.AUDIT, Scope.READ}
    assert holds(Scope.SUBMIT) == {Scope.SUBMIT}
    assert holds(Scope.READ, Scope.SUBMIT) == {Scope.READ, Scope.SUBMIT}


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path) -> Callable[..., Result]:
    def run(*arguments: str) -> Result:
        environment = {"OCRELAY_DATABASE_URL": sqlite_url}
        return CliRunner().invoke(command, [*arguments, "--data", str(tmp_path)], env=environment)

    return run


def test_a_key_is_shown_once_and_then_only_described(run: Callable[..., Result]) -> None:
    made = run("create", "the scanner", "--scope", "submit", "--scope", "read", "--days", "30")
    text = made.stdout.strip()
    key_id = record.id_of(text)
    assert key_id is not None and "shown once" in made.stderr
    listed = json.loads(run("list", "--json").stdout)
    assert (listed["id"], listed["name"], listed["scopes"], listed["state"], listed["last_used_at"]) == (
        key_id, "the scanner", ["read", "submit"], "good", None,
    )  # fmt: skip
    assert listed["expires_at"] > listed["created_at"]
    assert text.split("_")[2] not in run("list").output + run("list", "--json").output
    assert run("list").stdout == f"{key_id}  good  read,submit  used never  the scanner\n"


def test_a_key_is_rotated_and_revoked(run: Callable[..., Result], sqlite_url: str) -> None:
    first = run("create", "k", "--scope", "admin").stdout.strip()
    key_id = str(record.id_of(first))
    second = run("rotate", key_id, "--grace-hours", "1").stdout.strip()
    assert record.id_of(second) == key_id and second != first
    database = Database(sqlite_url)
    with database.read() as connection:
        (key,) = keys.list_keys(connection)
    database.close()
    assert (key.sha256, key.old_sha256) == (record.digest(second), record.digest(first))
    assert run("revoke", key_id).stdout == f"{key_id}  revoked  k\n"
    assert "revoked" in run("list").stdout
    for again in (("revoke", key_id), ("rotate", key_id), ("revoke", "key_none")):
        assert isinstance(run(*again).exception, errors.KeyNotFound)


@pytest.mark.parametrize(
    "arguments",
    [("create", "k"), ("create", "k", "--scope", "all"), ("create", "", "--scope", "read"),
     ("create", "a\nb", "--scope", "read"), ("create", "k", "--scope", "read", "--days", "0")],
)  # fmt: skip
def test_a_key_that_makes_no_sense_is_not_made(run: Callable[..., Result], arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2
    assert run("list").stdout == ""


def test_a_database_without_schema_is_named_with_the_way_out(tmp_path: Path) -> None:
    environment = {"OCRELAY_DATABASE_URL": f"sqlite:///{tmp_path / 'new.sqlite3'}"}
    result = CliRunner().invoke(command, ["list"], env=environment)
    assert "ocrelay migrate" in str(result.exception)
