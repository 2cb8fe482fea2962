"""Which documents are meant: files, folders, patterns, standard input, and how their results are called."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import click

from shared import errors
from shared.uploads import header

STDIN = "-"
LOOKED_AT_BYTES = 2048
"""So much of a file shows whether it is a document."""
ENDINGS = frozenset(
    (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".jp2", ".heic", ".heif", ".avif", ".pdf")
)
"""Of files that are sent whatever is in them: a scan that is broken or empty shall not be passed over."""


@dataclass(frozen=True)
class Document:
    """One document that shall be read.

    path: of the file; None: standard input. name: of the file below the folder that was given, with slashes: it is the
    same in every run, and the result has the same place below the folder of results.
    """

    path: Path | None
    name: str

    def read(self) -> bytes:
        """Its bytes. Raises OSError."""
        return sys.stdin.buffer.read() if self.path is None else self.path.read_bytes()

    def __str__(self) -> str:
        return "standard input" if self.path is None else str(self.path)


@dataclass
class Names:
    """How results are called: as the document, without its ending where that tells it from all others."""

    _taken: dict[str, str] = field(default_factory=dict)
    _shared: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, documents: Iterable[Document]) -> Names:
        """The names of documents that are all known."""
        names = cls()
        whole = [document.name for document in documents]
        names._shared = _twice([_stem(name) for name in whole]) | set(whole)  # what is another's whole name is not free
        return names

    def of_result(self, name: str) -> str:
        """The name of a document's result, as yet without the ending of its format."""
        stem = _stem(name)
        if stem not in self._shared and self._taken.setdefault(stem, name) == name:
            return stem
        result = name
        while self._taken.setdefault(result, name) != name:  # a folder that is watched does not know what comes
            result += "_"
        return result


def _twice(stems: Sequence[str]) -> set[str]:
    seen: set[str] = set()
    return {stem for stem in stems if stem in seen or seen.add(stem)}  # type: ignore[func-returns-value]


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return str(path.with_name(path.stem))


def find(given: Sequence[str], *, leave_out: Path | None = None) -> tuple[list[Document], list[Path]]:
    """The documents that are named, in order, and the files of folders that are none.

    Args:
        given: Paths, patterns, `-`.
        leave_out: The folder of results, which may lie in a folder that is read.

    Raises:
        UsageError: Nothing is there under one of the names, or a name is given twice.
    """
    found: dict[str, Document] = {}
    passed_over: list[Path] = []
    roots = [root for one in given for root in _roots(one)]
    is_only_root = len(roots) == 1
    for root in roots:
        if root == STDIN:
            found.setdefault("stdin", Document(None, "stdin"))
            continue
        path = Path(root)
        if not path.is_dir():
            _add(found, Document(path, path.name))
            continue
        for file in files_below(path, leave_out):
            if is_document(file):
                name = file.relative_to(path if is_only_root else path.parent)
                _add(found, Document(file, name.as_posix()))
            else:
                passed_over.append(file)
    return list(found.values()), passed_over


def _add(found: dict[str, Document], document: Document) -> None:
    """A second file of the same name gets its folder in front; the same file twice is one."""
    assert document.path is not None
    path, name = document.path.absolute(), document.name
    parents = list(path.parents)
    for parent in parents:
        other = found.setdefault(name, Document(document.path, name))
        if other.path is not None and other.path.absolute() == path:
            return
        name = f"{parent.name}/{name}"
    raise click.UsageError(f"{document.path} cannot be told from another file. Name their folder.")


def _roots(one: str) -> list[str]:
    if one == STDIN or Path(one).exists():
        return [one]
    if glob.has_magic(one):
        found = sorted(glob.glob(one, recursive=True))  # noqa: PTH207  (Path's begins in a folder; a pattern may be absolute)
        if found:
            return found
    raise click.UsageError(f"There is no file or folder {one!r}, and no file fits it as a pattern.")


def files_below(folder: Path, leave_out: Path | None) -> Iterator[Path]:
    """The files of a folder and its folders, in the order of their names; hidden ones are not meant."""
    left_out = None if leave_out is None else leave_out.resolve()
    for where, folders, files in os.walk(folder, onerror=_refuse):
        here = Path(where)
        folders[:] = sorted(one for one in folders if not one.startswith(".") and (here / one).resolve() != left_out)
        yield from (here / one for one in sorted(files) if not one.startswith("."))


def _refuse(error: OSError) -> None:
    reason = f"{error.filename} cannot be looked into ({error.strerror})."
    raise click.ClickException(f"{reason} Nothing was sent.") from error


def is_document(file: Path) -> bool:
    """Whether a file is called like a document, or its first bytes are those of one.

    What is called so and is none, or cannot be opened, is refused later, and the user is told.
    """
    try:
        if file.exists() and not file.is_file():
            return False  # a pipe would be waited for
        if file.suffix.lower() in ENDINGS:
            return True
        with file.open("rb") as opened:
            header.sniff(opened.read(LOOKED_AT_BYTES))
    except errors.DocumentError:
        return False
    except OSError:
        return True
    return True
