"""The metric of the labelled data, which lies beside them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType


def load_metric(path: Path) -> ModuleType:
    """The metric file as a module: it belongs to the data, not to us."""
    spec = importlib.util.spec_from_file_location("score", path)
    assert spec is not None and spec.loader is not None, f"no metric file at {path}"
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
