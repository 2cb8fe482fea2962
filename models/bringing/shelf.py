"""The folder of the models that were added: one folder for each, with the file, a card and the words on its licence."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from typing import Final

from models import golden
from models.bringing.derive import CARD_NAME, read_beside
from models.bringing.packs import is_damaged
from models.card import ModelCard, ModelFileError, sha256_of
from models.db_detector import open_detector
from models.detector import DetectorCard
from models.recognizer import DETECTORS, FILE_NAME, WEIGHTS, Recognizer

MOST_BYTES: Final = 500 * 1024 * 1024
TAKEN: Final = ("retry", "rollback")
"""Orders that stand beside the models in an address."""
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def add_detector(file: pathlib.Path, name: str, folder: pathlib.Path) -> DetectorCard:
    """Put a detector of one's own into the folder of models, once it has found the golden lines.

    Args:
        file: the .onnx file; a card.json beside it comes along.
        name: what it will be called; `detector-` is put before it.
        folder: where models are kept.

    Returns:
        Its card.

    Raises:
        ModelFileError: as `add`.
    """
    name = name.removeprefix(DETECTORS)
    _check_name(name, folder, DETECTORS + name)
    _check_file(file)
    detector = open_detector(file, DETECTORS + name)
    golden.check_detector(detector)
    _put(file, folder, DETECTORS + name, detector.card)
    return detector.card


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
    _check_name(name, folder, name)
    _check_file(file)
    recognizer = Recognizer(file, name)
    card, readings = recognizer.card, golden.stated_beside(file)
    if readings is None:
        readings = golden.read(recognizer)
    golden.check(recognizer, readings)
    _put(file, folder, name, card, readings)
    return card


def _put(
    file: pathlib.Path,
    folder: pathlib.Path,
    name: str,
    card: ModelCard | DetectorCard,
    readings: Mapping[str, str] | None = None,
) -> None:
    """Copy a file that was tried, with what is said of it, to where models are kept; all of it or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".adding-") as scratch:
        staged = pathlib.Path(scratch) / name
        staged.mkdir()
        shutil.copyfile(file, staged / FILE_NAME)
        told = {**read_beside(file), "version": card.version, "sha256": sha256_of(staged / FILE_NAME)}
        if told["sha256"] != card.sha256:
            raise ModelFileError(f"{file} changed while it was copied. Try again.")
        (staged / CARD_NAME).write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
        if readings is not None:
            golden.write_beside(staged / FILE_NAME, readings)
        staged.rename(folder / name)


def remove(name: str, folder: pathlib.Path) -> list[str]:
    """Take a model that was added or installed away, with the detector of its pack.

    Returns:
        The names of all that was taken away.

    Raises:
        ModelFileError: there is none of this name in the folder, or it is shipped.
    """
    if _is_shipped(name):
        raise ModelFileError(
            f"{name} is shipped with ocrelay and cannot be removed. Activate another one, and it rests."
        )
    if not NAME.fullmatch(name) or not (folder / name / FILE_NAME).is_file():
        raise ModelFileError(f"There is no model {name!r} in {folder}. `ocrelay models list` names those there are.")
    gone = [part for part in (name, DETECTORS + name) if (folder / part).is_dir()]
    for part in gone:
        shutil.rmtree(folder / part)
    return gone


def _check_file(file: pathlib.Path) -> None:
    if not file.is_file():
        raise ModelFileError(f"{file} is no file. Name an .onnx file.")
    if file.stat().st_size > MOST_BYTES:
        raise ModelFileError(f"{file} is larger than {MOST_BYTES // 1024**2} MiB, which no model of ours is.")
    if is_damaged(file):
        stated, found = read_beside(file)["sha256"], sha256_of(file)
        raise ModelFileError(
            f"{file} is not the file that its card was written for: that states the SHA-256 {stated:.64}, "
            f"and it is {found}. Fetch the file anew, or correct the card."
        )


def _check_name(name: str, folder: pathlib.Path, stored: str) -> None:
    is_taken = name.lower().startswith(DETECTORS) or name.lower() in TAKEN
    if not NAME.fullmatch(name) or not NAME.fullmatch(stored) or is_taken:
        raise ModelFileError(f"{name!r:.80} is no name for a model: letters, digits, `.`, `_` and `-`. Choose another.")
    if _is_shipped(stored):
        raise ModelFileError(
            f"There is a model {stored!r} already: it is shipped with ocrelay and cannot be removed. "
            "Choose another name."
        )
    if (folder / stored).exists():
        raise ModelFileError(f"There is a model {stored!r} already. Choose another name, or remove that one first.")
    there = [path.name for place in (WEIGHTS, folder) for path in place.glob("*")]
    alike = [one for one in there if one.lower() == stored.lower()]  # one folder, where file systems see no case
    if alike:
        raise ModelFileError(f"{stored!r} differs from the model {alike[0]!r} by case alone. Choose another name.")


def _is_shipped(name: str) -> bool:
    return NAME.fullmatch(name) is not None and (WEIGHTS / name).exists()
