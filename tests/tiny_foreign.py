"""Recognisers as others export them, of a few hundred bytes: what they read means nothing, what they look like does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CHARSET = "0123456789abc"  # as PP-OCR lists it: its space has a class, but no line


@dataclass(frozen=True)
class Foreign:
    """What differs from PP-OCR's recognisers.

    class_count: with the blank and the space. sight: how strongly it tells dark from light; 0.0: it reads nothing.
    endless: it computes for ever. metadata: None: no card.
    """

    channels: int = 3
    height: int | str = 48
    pooled_height: int = 48
    stride: int = 8
    class_count: int = len(CHARSET) + 2
    softmax: bool = True
    fixed_width: int = 0
    domain: str = ""
    inputs: int = 1
    sight: float = 4.0
    endless: bool = False
    metadata: dict[str, str] | None = None


def write(path: Path, foreign: Foreign = Foreign()) -> Path:
    """Write a model that reads columns with something dark as `0` and light ones as nothing, and return its path.

    (N, 3, 48, W) float32 -> (N, W / 8, 15) float32 probabilities.
    """
    weights = np.zeros((foreign.class_count, foreign.channels, 1, 1), np.float32)
    weights[0], weights[1] = -foreign.sight, foreign.sight  # light is the blank, dark the first character
    pool = [foreign.pooled_height, foreign.stride]
    nodes = [
        helper.make_node("Neg", ["x"], ["dark"]),
        helper.make_node("MaxPool", ["dark"], ["columns"], kernel_shape=pool, strides=pool),
        helper.make_node("Conv", ["columns", "weights"], ["scores"], kernel_shape=[1, 1]),
        helper.make_node("Squeeze", ["scores", "height"], ["by_class"]),
        helper.make_node("Transpose", ["by_class"], ["logits"], perm=[0, 2, 1]),
        helper.make_node("Softmax" if foreign.softmax else "Identity", ["logits"], ["y"]),
    ]
    if foreign.domain:
        nodes[-1] = helper.make_node("Odd", ["logits"], ["y"], domain=foreign.domain)
    if foreign.endless:
        nodes = [_endless_loop(), helper.make_node("Add", ["x", "nothing"], ["x_at_last"]), *nodes]
        nodes[2].input[0] = "x_at_last"
    shape = ["n", foreign.channels, foreign.height, foreign.fixed_width or "width"]
    names = ["x", *(f"mask{i}" for i in range(1, foreign.inputs))]
    graph = helper.make_graph(
        nodes,
        "foreign",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "time", foreign.class_count])],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "height"),
            numpy_helper.from_array(np.array(True), "on"),
            numpy_helper.from_array(np.array(0, np.float32), "zero"),
        ],
    )
    domains = ["", *([foreign.domain] if foreign.domain else [])]
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(one, 17) for one in domains], ir_version=9)
    metadata = {"character": "\n".join(CHARSET)} if foreign.metadata is None else foreign.metadata
    helper.set_model_props(model, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def _endless_loop() -> onnx.NodeProto:
    """`nothing`, which is 0 once the loop has ended."""
    steps = [helper.make_node("Identity", [f"{name}_in"], [f"{name}_out"]) for name in ("on", "sum")]
    inputs = [("turn", TensorProto.INT64), ("on_in", TensorProto.BOOL), ("sum_in", TensorProto.FLOAT)]
    outputs = [("on_out", TensorProto.BOOL), ("sum_out", TensorProto.FLOAT)]
    given, left = ([helper.make_tensor_value_info(*one, []) for one in ends] for ends in (inputs, outputs))
    body = helper.make_graph(steps, "turn", given, left)
    return helper.make_node("Loop", ["", "on", "zero"], ["nothing"], body=body)


def move_weights_out(path: Path) -> None:
    """Save a model anew with its weights in a file beside it."""
    onnx.save_model(
        onnx.load(str(path)), str(path), save_as_external_data=True, location="weights.bin", size_threshold=0
    )
