"""Processors that this machine does not have, emulated: what is read there, and what is said where nothing can be."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import models
from models import golden, int8
from tests.services import unavailable

WITHOUT_VNNI, WITHOUT_AVX = "Haswell", "kvm64"
READ = """
import sys, cv2, numpy as np, models
from models import golden, int8
if sys.argv[1] == "as if it did not overflow":
    int8.overflows = lambda: False
model = models.load()
lines = [model.prepare(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)) for path in sorted(golden.LINES.glob("*.png"))]
np.savez(sys.argv[2], *[model.logits(line[None]) for line in lines], overflows=int8.overflows())
"""


def emulated(processor: str, folder: Path) -> str:
    """A Python on another processor."""
    if platform.machine() != "x86_64":
        pytest.skip("the emulator runs the libraries of this machine")
    emulator = shutil.which("qemu-x86_64")
    if emulator is None:
        unavailable("No emulator of processors is installed: apt-get install qemu-user")
    program = folder / f"python-{processor}"
    program.write_text(f'#!/bin/sh\nexec {emulator} -cpu {processor} {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


def read_on(processor: str, folder: Path, way: str) -> tuple[list[NDArray[np.float32]], bool]:
    """The logits of the golden lines, and whether int8 overflows there."""
    file = folder / "logits.npz"
    subprocess.run(
        [emulated(processor, folder), "-c", READ, way, str(file)], check=True, capture_output=True, timeout=300
    )
    with np.load(file) as kept:
        overflows = bool(kept["overflows"])
        return [kept[name] for name in sorted(kept.files) if name.startswith("arr_")], overflows


def test_lines_are_read_alike_on_a_processor_without_vnni(tmp_path: Path) -> None:
    model = models.load()
    images = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(golden.LINES.glob("*.png"))]
    here = [model.logits(model.prepare(image)[None]) for image in images]
    there, overflows = read_on(WITHOUT_VNNI, tmp_path, "as it is")
    assert overflows
    for mine, other in zip(here, there, strict=True):
        assert np.array_equal(mine.argmax(axis=2), other.argmax(axis=2))
        assert np.abs(mine - other).max() < 0.5
    careless, _ = read_on(WITHOUT_VNNI, tmp_path, "as if it did not overflow")
    assert max(np.abs(mine - other).max() for mine, other in zip(here, careless, strict=True)) > 5


def test_a_processor_without_avx_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from worker import doctor

    monkeypatch.setattr(sys, "executable", emulated(WITHOUT_AVX, tmp_path))
    for name in ("numpy", "cv2", "onnxruntime"):
        finding = doctor.check_library(name)
        assert not finding.is_good and "illegal instruction" in finding.says and "`host`" in finding.fix


def test_the_probe_is_what_it_says() -> None:
    import onnx

    graph = onnx.load_from_string(int8.PRODUCT).graph
    (node,), (weights,) = graph.node, graph.initializer
    assert node.op_type == "MatMulInteger"
    kept = onnx.numpy_helper.to_array(weights)
    assert kept.dtype == np.int8 and kept.tolist() == [[int8.WEIGHT]] * int8.TERMS
