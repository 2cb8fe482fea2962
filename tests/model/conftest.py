"""What needs PyTorch, or Debian's packages, is skipped where they are not to be had, but never in CI."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from tests.model import training_folder
from tests.services import unavailable


@pytest.fixture(scope="session")
def torch_or_skip() -> None:
    if importlib.util.find_spec("torch") is None:
        unavailable("PyTorch is not installed: make setup-training")


@pytest.fixture(scope="session")
def folder(torch_or_skip: None) -> Path:
    """A small training folder; kept in build/ so that a second run need not fetch it again."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        unavailable("fonts come from Debian packages: apt-get and dpkg-deb are needed")
    return training_folder.make()
