"""Bytes from elsewhere become numbers and text here, never code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
import pytest

from shared import queue
from shared.settings import Settings

ROOT = Path(__file__).parents[2]
ROOMS = ("api", "worker", "shared", "models")
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "_pickle", "numpy.lib.format"}
CALLS = {"eval", "exec", "compile", "__import__"}
SAFE = {"numpy.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}
ALIASES = {"np": "numpy"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def called(node: ast.expr) -> str:
    """The name of what is called, as far as it is written out."""
    if isinstance(node, ast.Attribute):
        return f"{called(node.value)}.{node.attr}"
    return ALIASES.get(node.id, node.id) if isinstance(node, ast.Name) else ""


def wrong(tree: ast.AST) -> Iterator[str]:
    """Every import and call that could turn data into code."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield node.module
        elif isinstance(node, ast.Call):
            name = called(node.func)
            if name in CALLS or name in ("yaml.load", "yaml.unsafe_load"):
                yield name
            elif name in SAFE:
                keyword, value = SAFE[name]
                given = {key.arg: key.value.value for key in node.keywords if isinstance(key.value, ast.Constant)}
                if given.get(keyword) is not value:
                    yield f"{name} without {keyword}={value}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_module_turns_data_into_code(path: Path) -> None:
    assert list(wrong(ast.parse(path.read_text("utf-8")))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "np.load(p)",
        "np.load(p, allow_pickle=True)",
        "torch.load(p)",
    ],
)
def test_the_search_finds_what_it_looks_for(code: str) -> None:
    assert list(wrong(ast.parse(code)))


@pytest.mark.parametrize("role", ["client", "worker"])
def test_messages_are_json_in_both_directions(role: str, tmp_path: Path) -> None:
    settings = Settings.load(data_dir=tmp_path)
    conf = queue.create_app(settings, "redis://127.0.0.1:1/0", role=role).conf  # type: ignore[arg-type]
    assert set(conf.accept_content) == {"json"}
    assert (conf.task_serializer, conf.event_serializer) == ("json", "json")
    assert conf.result_backend is None
    assert not conf.worker_enable_remote_control


def test_a_model_is_an_onnx_graph_without_code_of_its_own(tmp_path: Path) -> None:
    """A pickled model is refused by the loader itself, and no library of custom operators is ever registered."""
    pickled = tmp_path / "model.onnx"
    pickled.write_bytes(b"\x80\x04cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(Exception, match=r"(?i)protobuf|invalid"):
        onnxruntime.InferenceSession(str(pickled))
    code = "".join(path.read_text("utf-8") for path in SOURCES)
    assert "register_custom_ops_library" not in code
