"""What an operator can set, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared import errors
from shared.settings import PREFIX, Settings, is_loopback


def test_without_any_variable_everything_has_a_value(tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    assert settings.database == f"sqlite:///{tmp_path}/ocrelay.sqlite3"
    assert settings.blobs_dir == tmp_path / "blobs"
    assert settings.redis_url is None
    assert (settings.max_document_bytes, settings.limits.max_bytes) == (10 * 1024 * 1024, 10 * 1024 * 1024)


def test_variables_win_over_defaults_and_arguments_over_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRELAY_PORT", "8123")
    monkeypatch.setenv("OCRELAY_WORKERS", "3")
    settings = Settings.load(workers=5)
    assert (settings.port, settings.workers) == (8123, 5)


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRELAY_PORT", "")
    assert Settings.load().port == 8000


def test_a_wrong_value_is_refused_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCRELAY_PORT", "eighty")
    with pytest.raises(errors.InvalidConfiguration, match="OCRELAY_PORT"):
        Settings.load()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback_may_be_bound(host: str) -> None:
    assert is_loopback(host)
    Settings.load(host=host).check_bind()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "127.0.0.1.example.org"])
def test_strangers_are_not_served_without_keys_unless_the_operator_says_so(host: str) -> None:
    with pytest.raises(errors.InvalidConfiguration, match="OCRELAY_ALLOW_REMOTE_WITHOUT_KEYS=true"):
        Settings.load(host=host).check_bind()
    Settings.load(host=host, allow_remote_without_keys=True).check_bind()


def test_a_child_process_sees_exactly_these_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OCRELAY_MAX_PAGES", "3")
    settings = Settings.load(data_dir=tmp_path, log_format="json", allow_remote_without_keys=True, model="a b")
    monkeypatch.setenv("OCRELAY_MAX_PAGES", "9")
    show = "from shared.settings import Settings; print(Settings.load().model_dump_json())"
    seen = subprocess.run(
        [sys.executable, "-c", show], env=settings.child_environment(), capture_output=True, check=True, text=True
    )
    assert Settings.model_validate_json(seen.stdout) == settings
    assert settings.max_pages == 3


def test_each_field_says_what_it_is_for() -> None:
    undescribed = [PREFIX + name.upper() for name, field in Settings.model_fields.items() if not field.description]
    assert undescribed == []
