"""Webhook secrets at rest, on both databases: sealed, opened, and those of an earlier version mended."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import select

from shared import errors
from shared.database import Database
from shared.settings import Settings
from shared.tables import webhook_secrets
from shared.webhooks import box, endpoints
from shared.webhooks.box import Box
from shared.webhooks.record import JOB_URLS
from tests.actors import BOX, CLIENT


def stored(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(webhook_secrets.c.secret)).scalars())


def test_a_secret_is_not_in_the_database_and_is_opened_again(database: Database) -> None:
    with database.write() as connection:
        endpoint, secret = endpoints.create(connection, url="https://hooks.example/", actor=CLIENT, box=BOX)
        assert endpoints.secrets_of(connection, [endpoint.id], box=BOX) == {endpoint.id: [secret]}
    assert all(secret.removeprefix("whsec_") not in one for one in stored(database))


def test_secrets_of_an_earlier_version_are_sealed_and_stay_the_same(database: Database) -> None:
    (old,) = stored(database)
    assert old.startswith("whsec_"), "the first migration knows no key"
    with database.write() as connection:
        assert box.seal_all(connection, BOX) == 1
        assert box.seal_all(connection, BOX) == 0
        assert endpoints.secrets_of(connection, [JOB_URLS], box=BOX) == {JOB_URLS: [old]}
    (new,) = stored(database)
    assert new.startswith(box.SEALED) and old.removeprefix("whsec_") not in new
    assert len(new) <= webhook_secrets.c.secret.type.length  # type: ignore[attr-defined]


def test_another_key_or_another_endpoint_opens_nothing(database: Database) -> None:
    with database.write() as connection:
        box.seal_all(connection, BOX)
    (sealed,) = stored(database)
    with pytest.raises(errors.SecretsLocked):
        Box(lambda: [b"1" * 32]).open(sealed, JOB_URLS)
    with pytest.raises(errors.SecretsLocked):
        BOX.open(sealed, "ep_other")
    assert Box(lambda: [b"1" * 32, bytes(32)]).open(sealed, JOB_URLS).startswith("whsec_"), "an older key follows"


def test_the_key_of_a_data_folder_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path / "data")
    sealed = Box.of(settings).seal("whsec_x", "ep_1")
    assert Box.of(settings).open(sealed, "ep_1") == "whsec_x"
    file = tmp_path / "data" / box.KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [box.KEY_FILE]
    file.write_text("nonsense")
    with pytest.raises(errors.InvalidConfiguration, match=r"secrets\.key"):
        Box.of(settings).seal("whsec_x", "ep_1")


@pytest.mark.parametrize("wrong", ["short", "AAAA", "!" * 44])
def test_a_key_that_is_none_is_refused_without_being_shown(wrong: str) -> None:
    with pytest.raises(errors.InvalidConfiguration) as refused:
        Settings.load(secrets_key=wrong)
    assert "32 bytes in base64" in refused.value.message and wrong not in refused.value.message
