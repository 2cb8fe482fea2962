"""Which server a command asks, and with which key; what `ocrelay login` keeps."""

from __future__ import annotations

import stat
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from api.client import config_file
from api.client.config_file import Login
from api.client.login import login
from api.client.server_option import DEFAULT_SERVER, client_of
from shared import errors
from shared.up import address

OTHER = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("OCRELAY_DATA_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def asked(server: str | None = None, data: Path | None = None, key: str | None = None) -> tuple[str, str]:
    client = client_of(server, data, key)
    return client.server, client._key


def test_the_nearest_word_counts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked() == (DEFAULT_SERVER, "")
    folder = home / "ocrelay-data"
    folder.mkdir()
    address.write(folder, "http://127.0.0.1:8123")
    assert asked() == ("http://127.0.0.1:8123", "")
    config_file.write(config_file.path(), Login("https://ocr.example", "ocr_kept"))
    assert asked() == ("https://ocr.example", "ocr_kept")
    assert asked(data=folder) == ("http://127.0.0.1:8123", "")
    monkeypatch.setenv("OCRELAY_SERVER", "https://other.example/")
    monkeypatch.setenv("OCRELAY_API_KEY", "ocr_set")
    assert asked() == ("https://other.example", "ocr_set")
    assert asked("http://localhost:1", key="ocr_given") == ("http://localhost:1", "ocr_given")


def test_a_kept_key_goes_to_its_own_server_alone() -> None:
    config_file.write(config_file.path(), Login("https://ocr.example", "ocr_kept"))
    assert asked("https://evil.example")[1] == ""
    assert asked("https://ocr.example/")[1] == "ocr_kept"


def test_a_folder_on_which_nothing_runs_is_said_to_be_so(home: Path) -> None:
    with pytest.raises(click.UsageError, match="No `ocrelay up` runs") as refused:
        asked(data=home)
    assert refused.value.exit_code == 3, "as for a server that is away"


@pytest.mark.parametrize("wrong", ["foo", "ftp://x", "http://", "http://x:port", "127.0.0.1:8000", "http://x?y"])
def test_what_is_no_url_is_wrong_usage(wrong: str) -> None:
    with pytest.raises(click.UsageError, match="no URL of a server"):
        asked(wrong)


def test_login_keeps_what_it_is_given_for_the_user_alone(home: Path) -> None:
    found = CliRunner().invoke(login, [OTHER], input="ocr_secret\n")
    assert found.exit_code == 0 and "does not answer" in found.stderr and "ocr_secret" not in found.output
    file = config_file.path()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and home in file.parents
    assert config_file.read(file) == Login(OTHER, "ocr_secret")


def test_a_key_that_others_can_read_is_refused() -> None:
    file = config_file.path()
    config_file.write(file, Login(OTHER, "ocr_secret"))
    file.chmod(0o644)
    with pytest.raises(errors.InvalidConfiguration, match="chmod 600"):
        asked()
