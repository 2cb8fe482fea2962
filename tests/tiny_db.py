"""A DB detector of a few hundred bytes: what is darker than its surroundings is text, and near letters are one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

REACH = (5, 25)  # px, height and width of the window in which ink is gathered


def write(path: Path, *, channels: int = 3, has_sigmoid: bool = True, metadata: dict[str, str] | None = None) -> Path:
    """Write a model, (N, 3, H, W) float32 -> (N, 1, H, W) float32, and return its path."""
    nodes = [
        helper.make_node("ReduceMin", ["x", "axis"], ["dark"], keepdims=1),
        helper.make_node("Neg", ["dark"], ["ink"]),
        helper.make_node("MaxPool", ["ink"], ["near"], kernel_shape=REACH, pads=[REACH[0] // 2, REACH[1] // 2] * 2),
        helper.make_node("Mul", ["near", "slope"], ["scores"]),
        helper.make_node("Sigmoid" if has_sigmoid else "Identity", ["scores"], ["map"]),
    ]
    shapes = [[1, channels, "height", "width"], [1, 1, "height", "width"]]
    graph = helper.make_graph(
        nodes,
        "db",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shapes[0])],
        [helper.make_tensor_value_info("map", TensorProto.FLOAT, shapes[1])],
        [
            numpy_helper.from_array(np.array([1], np.int64), "axis"),
            numpy_helper.from_array(np.array(20.0, np.float32), "slope"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, metadata or {})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path
