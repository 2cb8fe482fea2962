"""A recogniser of a few hundred bytes, for tests of everything around recognition. What it reads means nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHARSET = "0123456789 abc"


def write(path: Path) -> Path:
    """Write a model that reads dark columns as ``0`` and light ones as nothing, and return its path.

    (N, 1, 32, W) float32 -> (N, W / 4, 15) float32 logits, like a real one.
    """
    classes = len(CHARSET) + 1
    weights = np.zeros((classes, 1, 1, 1), dtype=np.float32)
    weights[0], weights[1] = 8.0, -8.0  # light is the blank, dark the first character
    nodes = [
        helper.make_node("AveragePool", ["line"], ["columns"], kernel_shape=[32, 4], strides=[32, 4]),
        helper.make_node("Conv", ["columns", "weights"], ["scores"], kernel_shape=[1, 1]),
        helper.make_node("Squeeze", ["scores", "height"], ["by_class"]),
        helper.make_node("Transpose", ["by_class"], ["logits"], perm=[0, 2, 1]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("line", TensorProto.FLOAT, ["n", 1, 32, "width"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", "time", classes])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "height"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"kind": "recogniser", "version": "1", "character": "\n".join(CHARSET)})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path
