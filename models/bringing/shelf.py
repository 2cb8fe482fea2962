"""The folder of the models that were added: one folder for each, with the file, a card and the words on its licence."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import tempfile
from typing import Final

from models import golden
from models.bringing.derive import CARD_NAME, read_beside
from models.card import ModelCard, ModelFileError, sha256_of
from models.recognizer import DETECTORS, FILE_NAME, WEIGHTS, Recognizer

MOST_BYTES: Final = 500 * 1024 * 1024
TAKEN: Final = ("retry", "rollback")
"""Orders that stand beside the models in an address."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def add(file: pathlib.Path, name: str, folder: pathlib.Path) -> ModelCard:
    """Put a recogniser of one's own into the folder of models, once it has read two lines on trial.

    Args:
        file: the .onnx file; a card.json and a golden.json beside it come along.
        name: what results will call it.
        folder: where models are kept.

    Returns:
        Its card.

    Raises:
        ModelFileError: the name cannot be had, or the file cannot be run, with the reason; nothing was stored then.
    """
    _check_name(name, folder)
    if not file.is_file():
        raise ModelFileError(f"{file} is no file. Name an .onnx file.")
    if file.stat().st_size > MOST_BYTES:
        raise ModelFileError(f"{file} is larger than {MOST_BYTES // 1024**2} MiB, which no recogniser of lines is.")
    recognizer = Recognizer(file, name)
    card, readings = recognizer.card, golden.stated_beside(file)
    if readings is None:
        readings = golden.read(recognizer)
    golden.check(recognizer, readings)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".adding-") as scratch:
        staged = pathlib.Path(scratch) / name
        staged.mkdir()
        shutil.copyfile(file, staged / FILE_NAME)
        told = {**read_beside(file), "version": card.version, "sha256": sha256_of(staged / FILE_NAME)}
        if told["sha256"] != card.sha256:
            raise ModelFileError(f"{file} changed while it was copied. Try again.")
        (staged / CARD_NAME).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
        golden.write_beside(staged / FILE_NAME, readings)
        staged.rename(folder / name)
    return card


def remove(name: str, folder: pathlib.Path) -> None:
    """Take a model that was added or installed away, with the detector of its pack.

    Raises:
        ModelFileError: there is none of this name in the folder.
    """
    if not NAME.fullmatch(name) or not (folder / name / FILE_NAME).is_file():
        raise ModelFileError(f"There is no model {name!r} in {folder}. `ocrelay models list` names those there are.")
    for part in (folder / name, folder / (DETECTORS + name)):
        if part.is_dir():
            shutil.rmtree(part)


def _check_name(name: str, folder: pathlib.Path) -> None:
    if not NAME.fullmatch(name) or name.startswith(DETECTORS) or name in TAKEN:
        raise ModelFileError(
            f"{name!r} is no name for a recogniser: letters, digits, `.`, `_` and `-`. Choose another."
        )
    if (WEIGHTS / name).exists() or (folder / name).exists():
        raise ModelFileError(f"There is a model {name!r} already. Choose another name, or remove that one first.")
