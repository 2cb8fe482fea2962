"""Turn a checkpoint into the model that is served: ONNX with its card inside, checked against torch, then int8.

    python -m models.training.export build/training crnn-zh-en --version 20261120.1
    python -m models.training.export build/training crnn-zh-en --precision fp32     # the float model, 4 times the size

Writes models/weights/NAME/model.onnx and, beside it, weights.pt (half precision), from which a later run goes on
(`train --resume`). Convolutions get static int8, calibrated on rendered lines; the LSTM and the matrices dynamic int8.
A gate before the head keeps frames that are surely blank away from it (`models.training.gate`).
"""

from __future__ import annotations

import argparse
import json
import pathlib
import tempfile
import warnings
from collections.abc import Iterator

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime import quantization

from models.card import ModelCard
from models.charset import Charset
from models.detector import DetectorCard
from models.line_image import HEIGHT, prepare
from models.network import CRNN
from models.recognizer import FILE_NAME, WEIGHTS
from models.training import gate
from models.training.batches import bucket_width
from models.training.drawing.render import LineRenderer
from models.training.quantizing import quantize_convolutions

OPSET = 17
CALIBRATION_LINES = 256
TOLERANCE = 1e-3


def network_from(state: dict[str, torch.Tensor], classes: int) -> CRNN:
    """The averaged weights in a network that is ready to be read with."""
    network = CRNN(classes)
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    )
    return network.eval()


def export_float(network: CRNN, path: pathlib.Path, height: int = HEIGHT) -> None:
    """Write the network as ONNX with free batch size and width."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracing exporter is deprecated and the one that keeps the LSTM one node
        torch.onnx.export(
            network, (torch.zeros(2, 1, height, 64),), str(path), dynamo=False, opset_version=OPSET,
            input_names=["lines"], output_names=["logits"],
            dynamic_axes={"lines": {0: "lines", 3: "width"}, "logits": {0: "lines", 1: "frames"}},
        )  # fmt: skip


def largest_difference(network: CRNN, path: pathlib.Path) -> float:
    """Largest absolute difference of the logits, torch against onnxruntime, over several batch sizes and widths."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for count, width in ((1, 320), (3, 96), (8, 640)):
        lines = torch.randn(count, 1, 32, width, generator=torch.Generator().manual_seed(width))
        with torch.no_grad():
            expected = network(lines).numpy()
        worst = max(worst, float(np.abs(session.run(None, {"lines": lines.numpy()})[0] - expected).max()))
    return worst


def rendered(renderer: LineRenderer, height: int) -> Iterator[NDArray[np.float32]]:
    """Rendered lines, one at a time, each (1, 1, height, W) float32."""
    for _ in range(CALIBRATION_LINES):
        row = prepare(renderer.render().image, height)
        line = np.zeros((1, *row.shape[:2], bucket_width(row.shape[2])), np.float32)
        line[0, :, :, : row.shape[2]] = row
        yield line


def quantize(source: pathlib.Path, target: pathlib.Path, renderer: LineRenderer, height: int = HEIGHT) -> None:
    """Float ONNX -> int8 ONNX: static convolutions, dynamic LSTM and matrices."""
    with tempfile.TemporaryDirectory() as folder:
        static = pathlib.Path(folder, "static.onnx")
        quantize_convolutions(source, static, "lines", rendered(renderer, height))
        quantization.quantize_dynamic(
            str(static), str(target), op_types_to_quantize=["MatMul", "Gemm", "LSTM"], per_channel=True
        )


def write_card(path: pathlib.Path, card: ModelCard | DetectorCard) -> None:
    """Put the card into the file's metadata."""
    model = onnx.load(str(path))
    del model.metadata_props[:]
    for key, value in card.to_metadata().items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))


def main() -> None:
    parser = argparse.ArgumentParser(description="Export a checkpoint as the model NAME.")
    parser.add_argument("folder", type=pathlib.Path, help="the training folder")
    parser.add_argument("name")
    parser.add_argument("--version", default="unversioned")
    parser.add_argument("--checkpoint", default="checkpoint.pt", help="a file of the folder; averaged.pt is another")
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    parser.add_argument("--gate-lines", type=int, default=gate.LINES, help="to fit the gate on; 0: no gate")
    parser.add_argument("--scores", type=pathlib.Path, help="JSON object: set -> error rates, written into the card")
    parser.add_argument("--out", type=pathlib.Path, default=WEIGHTS)
    args = parser.parse_args()
    state = torch.load(args.folder / args.checkpoint, weights_only=True)
    charset = Charset(list(state["characters"]))
    network = network_from(state["average"], len(charset))
    out = args.out / args.name
    out.mkdir(parents=True, exist_ok=True)
    training = {
        "lines": state["lines"],
        "minutes": round(state["minutes"]),
        "data": "rendered from Debian fonts and corpora",
        "precision": args.precision,
    }
    scores = json.loads(args.scores.read_text("utf-8")) if args.scores else {}
    with tempfile.TemporaryDirectory() as scratch:
        plain = pathlib.Path(scratch, "float.onnx")
        export_float(network, plain)
        difference = largest_difference(network, plain)
        if difference > TOLERANCE:
            raise SystemExit(
                f"torch and onnxruntime differ by {difference:.2g}, more than {TOLERANCE}: nothing was exported"
            )
        if args.precision == "int8":
            quantize(plain, out / FILE_NAME, LineRenderer(args.folder, list(charset.characters), 7))
        else:
            (out / FILE_NAME).write_bytes(plain.read_bytes())
    if args.gate_lines:
        renderer = LineRenderer(args.folder, list(charset.characters), gate.SEED)
        closed = gate.put_in(out / FILE_NAME, renderer, args.gate_lines).closed
        print(f"{closed:.0%} of the frames are surely blank and need no head")
    write_card(out / FILE_NAME, ModelCard(args.name, args.version, "", charset, training=training, scores=scores))
    half = {name: value.half() if value.is_floating_point() else value for name, value in state["average"].items()}
    torch.save(
        {"average": half, "characters": state["characters"], "lines": state["lines"], "minutes": state["minutes"]},
        out / "weights.pt",
    )
    size = (out / FILE_NAME).stat().st_size / 1e6
    print(f"{out / FILE_NAME}: {size:.1f} MB, torch and onnxruntime differ by {difference:.1g}")


if __name__ == "__main__":
    main()
