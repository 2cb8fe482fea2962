"""Turn the detector's checkpoint into the model that is served: ONNX with its card, checked against torch, then int8.

    python -m models.training.detector.export build/training --version 20261121.1
    python -m models.training.detector.export build/training --precision fp32     # the float model: twice the time

Writes models/weights/detector-lines/model.onnx and, beside it, weights.pt (half precision), from which a later run
goes on (`train --resume`).
"""

from __future__ import annotations

import argparse
import pathlib
import re
import shutil
import tempfile
import warnings

import numpy as np
import onnx
import torch

from models.detector import DEFAULT, DetectorCard
from models.recognizer import FILE_NAME, WEIGHTS
from models.session import open_session
from models.training.detector.examples import PageSource, as_input
from models.training.detector.network import Detector
from models.training.detector.train import CHECKPOINT
from models.training.export import OPSET, write_card
from models.training.quantizing import quantize_convolutions

TOLERANCE = 1e-2  # of logits that go up to 20
CALIBRATION_PAGES, CALIBRATION_SIDE, CALIBRATION_SEED = 48, 640, 11
EXACT = re.compile(r"/network/(stem|stages\.0/stages\.0\.0|head)/")
"""Stay float: a convolution of one channel is slower in int8, and the last one says where a line's edges are."""


def network_from(state: dict[str, torch.Tensor]) -> Detector:
    """The averaged weights in a network that is ready to be asked."""
    network = Detector()
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in state.items()}
    )
    return network.eval()


class Served(torch.nn.Module):
    """What the file computes: the first map is a probability."""

    def __init__(self, network: Detector) -> None:
        super().__init__()
        self.network = network

    def forward(self, pages: torch.Tensor) -> torch.Tensor:
        """(N, 1, H, W) in -1..1 -> (N, 3, H / 4, W / 4)."""
        maps = self.network(pages)
        return torch.cat([torch.sigmoid(maps[:, :1]), maps[:, 1:]], 1)


def export_float(network: Detector, path: pathlib.Path) -> float:
    """Write the network as ONNX with free size; return the largest difference from torch."""
    served = Served(network).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            served, (torch.zeros(1, 1, 64, 96),), str(path), dynamo=False, opset_version=OPSET,
            input_names=["pages"], output_names=["maps"],
            dynamic_axes={"pages": {2: "height", 3: "width"}, "maps": {2: "rows", 3: "columns"}},
        )  # fmt: skip
    session, worst = open_session(path), 0.0
    for height, width in ((64, 96), (320, 256)):
        page = torch.rand(1, 1, height, width, generator=torch.Generator().manual_seed(height)) * 2 - 1
        with torch.no_grad():
            expected = served(page).numpy()
        worst = max(worst, float(np.abs(session.run(None, {"pages": page.numpy()})[0] - expected).max()))
    return worst


def quantize(source: pathlib.Path, target: pathlib.Path, folder: pathlib.Path) -> None:
    """Float ONNX -> int8 ONNX, by the ranges that composed pages have."""
    exact = [node.name for node in onnx.load(str(source)).graph.node if EXACT.match(node.name)]
    pages = PageSource(folder, CALIBRATION_SEED, CALIBRATION_SIDE)
    samples = (as_input(pages.page().image)[None] for _ in range(CALIBRATION_PAGES))
    quantize_convolutions(source, target, "pages", samples, exact)


def main() -> None:
    parser = argparse.ArgumentParser(description="Export the detector's checkpoint.")
    parser.add_argument("folder", type=pathlib.Path, help=f"the training folder; {CHECKPOINT} is read from it")
    parser.add_argument("name", nargs="?", default=DEFAULT)
    parser.add_argument("--version", default="unversioned")
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    parser.add_argument("--out", type=pathlib.Path, default=WEIGHTS)
    args = parser.parse_args()
    state = torch.load(args.folder / CHECKPOINT, weights_only=True)
    out = args.out / args.name
    out.mkdir(parents=True, exist_ok=True)
    training = {
        "pages": state["pages"],
        "minutes": round(state["minutes"]),
        "data": "composed from Debian fonts and corpora",
    }
    with tempfile.TemporaryDirectory() as scratch:
        plain = pathlib.Path(scratch, "float.onnx")
        difference = export_float(network_from(state["average"]), plain)
        if difference > TOLERANCE:
            raise SystemExit(f"torch and onnxruntime differ by {difference:.2g}: nothing was exported")
        if args.precision == "int8":
            quantize(plain, out / FILE_NAME, args.folder)
        else:
            shutil.copyfile(plain, out / FILE_NAME)
    write_card(out / FILE_NAME, DetectorCard(args.name, args.version, "", training))
    half = {name: value.half() if value.is_floating_point() else value for name, value in state["average"].items()}
    torch.save({"average": half, "pages": state["pages"], "minutes": state["minutes"]}, out / "weights.pt")
    size = (out / FILE_NAME).stat().st_size / 1e6
    print(f"{out / FILE_NAME}: {size:.1f} MB, torch and onnxruntime differ by {difference:.1g}")


if __name__ == "__main__":
    main()
