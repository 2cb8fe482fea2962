"""Bringing models in and taking them away, as the commands of `ocrelay models` do it, which are called for it.

Whoever takes documents in never loads a model, and what is brought in is tried: a process of its own does both. The
folder of models is this machine's; workers of others have it where it is a mount that they share.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.service.caller import Caller
from api.service.models import Model
from api.service.parts import Parts
from shared import errors

FILE_NAME = "model.onnx"
MOST_SECONDS = 600
_AT_WORK = threading.Lock()
"""One after the other: each takes as much memory as a worker child."""


@dataclass(frozen=True)
class Pack:
    """Models of others that can be installed."""

    name: str
    version: str
    licence: str
    """An SPDX identifier; the words come with the models, and lie beside them."""
    wheel: str
    """The file that holds them, as its registry has it."""


@functools.cache
def packs() -> Sequence[Pack]:
    """The packs there are; raises ModelRefused. The command is asked once: they are a part of this version."""
    return [Pack(**one) for one in json.loads(_run(["packs", "--json"]))]


def is_installed(parts: Parts, pack: Pack) -> bool:
    """Whether it lies in the folder of models."""
    return _is_there(parts, pack.name)


def install(parts: Parts, name: str, client: Caller) -> None:
    """Fetch the models of a pack, checked by its hash; raises ModelRefused."""
    _order(parts, client, "install", [], name)


def add(parts: Parts, save: Callable[[Path], object], name: str, client: Caller, *, is_detector: bool) -> None:
    """Try a model and put it into the folder of models.

    Args:
        parts: Of the process.
        save: Writes the file, `model.onnx`, and a `card.json` if there is one, into the folder that it is given.
        name: What results will call it.
        client: Who brings it.
        is_detector: It finds lines; else it reads them.

    Raises:
        ModelRefused: It cannot be used or kept, or its name cannot be had; nothing was stored.
    """
    try:
        with tempfile.TemporaryDirectory(dir=parts.settings.data_dir, prefix=".model-") as folder:
            file = Path(folder) / FILE_NAME
            save(Path(folder))
            options = ["--name", name, *(["--detector"] if is_detector else [])]
            try:
                _order(parts, client, "add", options, str(file))
            except errors.ModelRefused as error:
                raise errors.ModelRefused(error.message.replace(str(file), "The file")) from None
    except OSError as error:
        raise errors.ModelRefused(f"The file cannot be kept: {error.strerror}.") from error


def remove(parts: Parts, name: str, client: Caller) -> None:
    """Take a model out of the folder of models; raises ModelRefused where it is active or was not brought there."""
    _order(parts, client, "remove", [], name)


def is_removable(parts: Parts, model: Model) -> bool:
    """Whether it was brought in and nothing reads or finds with it now."""
    return not model.roles and _is_there(parts, model.known.name)


def _is_there(parts: Parts, name: str) -> bool:
    return (parts.settings.models_folder / name / FILE_NAME).is_file()


def _order(parts: Parts, client: Caller, command: str, options: Sequence[str], name: str) -> None:
    by = json.dumps([client.actor.key_id, client.actor.address])
    data = str(parts.settings.data_dir)
    _run([command, *options, "--data", data, "--by", by, "--", name], parts.settings.child_environment())


def _run(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> str:
    """What a command of `ocrelay models` says; raises ModelRefused with its reason."""
    command = [sys.executable, "-P", "-m", "shared.cli", "models", *arguments]
    with _AT_WORK:
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=MOST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise errors.ModelRefused(f"It took longer than {MOST_SECONDS} seconds and was stopped.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"The command ended with {done.returncode}."]
        raise errors.ModelRefused(said[-1].removeprefix("Error: "))
    return done.stdout
