"""What needs PyTorch is skipped where it is not installed, but never in CI."""

from __future__ import annotations

import importlib.util

import pytest

from tests.services import unavailable


@pytest.fixture(scope="session")
def torch_or_skip() -> None:
    if importlib.util.find_spec("torch") is None:
        unavailable("PyTorch is not installed: make setup-training")
