"""A wheel with a pack in it, made here, so that no test needs a registry or other people's models."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from models.bringing.packs import Pack
from tests import tiny_db, tiny_foreign

CODE = "raise SystemExit('a pack must never be imported')"


def wheel(folder: Path) -> Path:
    """Write the wheel and return its path."""
    path = folder / "acme-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tiny_foreign.write(folder / "made.onnx"), "acme/models/rec.onnx")
        archive.write(tiny_db.write(folder / "det.onnx"), "acme/models/det.onnx")
        archive.writestr("acme/__init__.py", CODE)
        archive.writestr("acme-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        archive.writestr("acme-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("acme-1.0.dist-info/licenses/LICENSE", "Do what you like.")
    return path


def pack(wheel: Path) -> Pack:
    """What is taken out of that wheel."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    licence = ("acme-1.0.dist-info/licenses/LICENSE",)
    return Pack("acme", "1.0", wheel.name, digest, "acme/models/rec.onnx", "acme/models/det.onnx", "0BSD", licence)
