"""Which files of a folder are documents, and how their results are called."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from api.client.http import Client
from api.client.submit.documents import Document, Names, find
from tests.unit.api.conftest import png


def names_of(*names: str, is_known: bool = True) -> list[str]:
    documents = [Document(Path(name), name) for name in names]
    names_of_results = Names.of(documents if is_known else [])
    return [names_of_results.of_result(name) for name in names]


def test_no_two_documents_have_one_result() -> None:
    assert names_of("a.png", "b.png") == ["a", "b"]
    assert names_of("x.png", "x.jpg", "x.png.gif") == ["x.png", "x.jpg", "x.png.gif"]


def test_what_comes_into_a_watched_folder_takes_no_name_that_is_taken() -> None:
    found = names_of("a.png", "a.jpg", "a.jpg.png", is_known=False)
    assert len(set(found)) == 3, found
    found = names_of("a.jpg.png", "a.png", "a.jpg", is_known=False)
    assert len(set(found)) == 3, found


def test_a_pipe_in_a_folder_is_passed_over_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    os.mkfifo(tmp_path / "pipe")
    found, passed_over = find([str(tmp_path)])
    assert ([document.name for document in found], passed_over) == (["a.png"], [tmp_path / "pipe"])


def test_what_is_called_like_a_document_is_sent_whatever_is_in_it(tmp_path: Path) -> None:
    for name, content in {"empty.PDF": b"", "broken.jpg": b"garbage", "scan": png(), "notes.txt": b"garbage"}.items():
        (tmp_path / name).write_bytes(content)
    found, passed_over = find([str(tmp_path)])
    assert [document.name for document in found] == ["broken.jpg", "empty.PDF", "scan"]
    assert passed_over == [tmp_path / "notes.txt"]


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: object) -> object:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(click.ClickException, match=f"{tmp_path} cannot be looked into"):
        find([str(tmp_path)])


def test_a_name_that_is_no_text_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    monkeypatch.setattr(Client, "_call", lambda self, request, wait: sent.append(request.full_url) or {})
    Client("http://127.0.0.1:1").send(b"", {"filename": "bad\udcff.png"}, 0)
    assert sent == ["http://127.0.0.1:1/v1/jobs?filename=bad%3F.png"]


@pytest.mark.parametrize("key", ["a\nb", "é", "\x00"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(click.UsageError, match="API key") as refused:
        Client("http://127.0.0.1:1", key)
    assert key not in refused.value.message


@pytest.mark.parametrize("server", ["http://[::1", "http://user:secret@ocr.example"])
def test_an_address_that_is_none_is_refused_without_its_password(server: str) -> None:
    with pytest.raises(click.UsageError, match="no URL of a server") as refused:
        Client(server)
    assert "secret" not in refused.value.message
