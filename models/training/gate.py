"""Teach an exported recogniser which frames are surely blank, so that nobody asks about 7,000 characters there.

Four frames of five are blank, and most of them surely: no character comes within MARGIN logits. A small network on the
features before the head learns that from rendered lines, and goes into the graph between the two. The head then
classifies the other frames alone: `logits` becomes (K, C), and `heard`, (K, 2) int64, says of which line and frame.
"""

from __future__ import annotations

import pathlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from models.charset import BLANK
from models.line_image import prepare
from models.training.batches import bucket_width
from models.training.drawing.render import LineRenderer

FEATURES = "/bottleneck/Add_output_0"  # (N, T, F): what the head classifies
LINES = 6000
SEED = 57
MARGIN = 3.0  # logits; the decoder looks at what comes so near to the blank (`worker.ocr.text.unsure.HIDDEN`)
WELL_BLANK = 6.0  # logits; what the gate is taught to tell from the rest
MISTAKES = 2e-4  # of the frames where a character comes nearer than MARGIN: so many the gate may close
HELD_OUT = 0.25  # of the frames: the gate's threshold is set on frames that it did not learn from
HIDDEN, EPOCHS, BATCH, RATE, CARE = 48, 12, 1024, 3e-3, 8.0  # CARE: weight of a frame that is not surely blank


@dataclass(frozen=True)
class Gate:
    """A frame with features f is surely blank where relu(f @ first + first_bias) @ second + second_bias > 0.

    closed: the share of the held-out frames that are. worst: the least margin among them, in logits.
    """

    first: NDArray[np.float32]
    first_bias: NDArray[np.float32]
    second: NDArray[np.float32]
    second_bias: NDArray[np.float32]
    closed: float
    worst: float


def observe(path: pathlib.Path, renderer: LineRenderer, count: int = LINES) -> tuple[torch.Tensor, torch.Tensor]:
    """Features (M, F) of the frames of rendered lines, and (M,) how many logits the blank is ahead of the rest."""
    model = onnx.load(str(path))
    model.graph.output.append(helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    features, margins = [], []
    for _ in range(count):
        line = prepare(renderer.render().image)
        padded = np.zeros((1, *line.shape[:2], bucket_width(line.shape[2])), np.float32)
        padded[0, :, :, : line.shape[2]] = line
        logits, found = session.run(["logits", FEATURES], {"lines": padded})
        others = np.delete(logits[0], BLANK, axis=1).max(axis=1)
        features.append(found[0])
        margins.append(logits[0, :, BLANK] - others)
    return torch.from_numpy(np.concatenate(features)), torch.from_numpy(np.concatenate(margins))


def fit(features: torch.Tensor, margins: torch.Tensor) -> Gate:
    """Learn the gate, and set its threshold on frames that it did not learn from."""
    torch.manual_seed(SEED)
    kept = int(len(features) * (1 - HELD_OUT))
    layers = nn.Linear(features.shape[1], HIDDEN), nn.Linear(HIDDEN, 1)
    network = nn.Sequential(layers[0], nn.ReLU(), layers[1])
    blank = (margins > WELL_BLANK).float()
    weight = torch.where(blank > 0, 1.0, CARE)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    for epoch in range(EPOCHS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - epoch / EPOCHS)
        for batch in torch.randperm(kept).split(BATCH):
            scores = network(features[batch]).squeeze(1)
            loss = nn.functional.binary_cross_entropy_with_logits(scores, blank[batch], weight[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        scores = network(features[kept:]).squeeze(1)
    margins = margins[kept:]
    near, _ = scores[margins < MARGIN].sort(descending=True)
    threshold = near[int(MISTAKES * len(near))] if len(near) else scores.min()
    closed = scores > threshold
    first, second = (layer.weight.detach().numpy().T for layer in layers)
    biases = [layer.bias.detach().numpy() for layer in layers]
    share, worst = float(closed.float().mean()), float(margins[closed].min())
    return Gate(first, biases[0], second, biases[1] - threshold.numpy(), share, worst)


def add(model: onnx.ModelProto, gate: Gate) -> None:
    """Put a gate into the graph of an exported recogniser."""
    graph = model.graph
    weights: dict[str, NDArray[Any]] = {
        "gate.first": gate.first,
        "gate.first_bias": gate.first_bias,
        "gate.second": gate.second,
        "gate.second_bias": gate.second_bias,
        "gate.zero": np.zeros((), np.float32),
        "gate.last": np.array([2], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("MatMul", [FEATURES, "gate.first"], "gate/first", {}),
        ("Add", ["gate/first", "gate.first_bias"], "gate/hidden", {}),
        ("Relu", ["gate/hidden"], "gate/relu", {}),
        ("MatMul", ["gate/relu", "gate.second"], "gate/second", {}),
        ("Add", ["gate/second", "gate.second_bias"], "gate/score", {}),
        ("Squeeze", ["gate/score", "gate.last"], "gate/scores", {}),
        ("LessOrEqual", ["gate/scores", "gate.zero"], "gate/open", {}),
        ("NonZero", ["gate/open"], "gate/places", {}),
        ("Transpose", ["gate/places"], "heard", {"perm": [1, 0]}),
        ("GatherND", [FEATURES, "heard"], "gate/features", {}),
    ]
    nodes = [helper.make_node(kind, inputs, [output], **more) for kind, inputs, output, more in steps]
    after = 1 + next(i for i, node in enumerate(graph.node) if FEATURES in node.output)
    for node in graph.node[after:]:
        for i, name in enumerate(node.input):
            if name == FEATURES:
                node.input[i] = "gate/features"
    for offset, node in enumerate(nodes):
        graph.node.insert(after + offset, node)
    del graph.value_info[:]  # the shapes behind the head are others now
    classes = graph.output[0].type.tensor_type.shape.dim[2].dim_value
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["heard", classes]))
    graph.output.append(helper.make_tensor_value_info("heard", TensorProto.INT64, ["heard", 2]))
    onnx.checker.check_model(model)


def put_in(path: pathlib.Path, renderer: LineRenderer, count: int = LINES) -> Gate:
    """Fit a gate for the recogniser in an .onnx file without one, and put it into the file."""
    gate = fit(*observe(path, renderer, count))
    model = onnx.load(str(path))
    add(model, gate)
    onnx.save(model, str(path))
    return gate
