"""Networks of other sizes beside the shipped one: error rate after the same lines, time, size, as a table.

    python -m tests.bench.architectures build/training [NAME ...] [--data DATA] [--lines 25000]

Every network reads English only and sees the same number of lines, the first 40 % by cross-entropy at the characters'
centres and then CTC; its error is counted on rendered lines, and with --data on real ones. Time and size are those of
the whole charset with random weights: int8 as shipped, one thread, lines 320 px wide. Single runs: differences under a
tenth of the error are noise.
"""

from __future__ import annotations

import argparse
import string
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch

from models.charset import Charset
from models.line_image import HEIGHT, TIME_STRIDE, prepare
from models.network import CRNN
from models.training.batches import batches
from models.training.characters import all_characters
from models.training.drawing.render import LineRenderer, RenderedLine
from models.training.evaluate import character_error_rate, greedy
from models.training.export import export_float, quantize
from models.training.losses import aligned_cross_entropy, ctc
from models.training.train import CLIP, optimizer_for, rate
from tests.bench.metric import load_metric

VARIANTS: dict[str, dict[str, Any]] = {
    "shipped": {},
    "half as wide": {"widths": (16, 32, 64, 128)},
    "half as wide again": {"widths": (48, 96, 192, 384)},
    "LSTM 64": {"hidden": 64},
    "LSTM 256": {"hidden": 256},
    "two LSTM layers": {"layers": 2},
    "bottleneck 64": {"bottleneck": 64},
    "48 px high": {"height": 48},
    "a frame for 8 px": {"time_stride": 8},
}
REAL = ("omnidoc_en_lines", "sroie_lines")
WIDTH = 320  # px at a height of 32
WARM_SHARE = 0.4
PEAK_RATE = 2e-3


class EnglishRenderer(LineRenderer):
    """Lines of printable ASCII only."""

    def render(self, text: str | None = None, plain: bool = False) -> RenderedLine:
        """One line."""
        while True:
            line = super().render(text, plain)
            if line.text.isascii():
                return line


def train(shape: dict[str, Any], folder: Path, lines: int) -> tuple[CRNN, Charset]:
    """Train a network of this shape on so many lines of English."""
    charset = Charset([" ", *string.ascii_letters, *string.digits, *string.punctuation])
    torch.manual_seed(0)
    network = CRNN(len(charset), **shape).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = optimizer_for(network)
    renderer = EnglishRenderer(folder, all_characters(folder / "root"), 3)
    size = {"height": shape.get("height", HEIGHT), "time_stride": shape.get("time_stride", TIME_STRIDE)}
    seen, step = 0, 0
    for batch in batches(renderer, charset, 3, **size):
        share = seen / lines
        for group in optimizer.param_groups:
            group["lr"] = rate(share, step, PEAK_RATE)
        with torch.autocast("cpu", torch.bfloat16):
            frames = network.frames(batch.lines.contiguous(memory_format=torch.channels_last))
            if share < WARM_SHARE:
                slope = aligned_cross_entropy(network.head, frames, batch.frame_targets)
            else:
                _, slope = ctc(network.head, frames, batch.labels, batch.frame_counts, batch.label_counts)
        optimizer.zero_grad()
        slope.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        seen, step = seen + len(batch.lines), step + 1
        if seen >= lines:
            break
    return network.eval(), charset


@torch.no_grad()
def read(network: CRNN, charset: Charset, shape: dict[str, Any], image: np.ndarray) -> str:
    """Text of one line image, (H, W) uint8 gray."""
    line = prepare(image, shape.get("height", HEIGHT))
    line = np.pad(line, ((0, 0), (0, 0), (0, -line.shape[2] % 8)))
    return charset.decode(greedy(network(torch.from_numpy(line[None]))[0].argmax(1).tolist()))


def cost(shape: dict[str, Any], folder: Path) -> tuple[float, float, float]:
    """Million parameters, MB of the int8 file and ms a line, with the whole charset."""
    characters = all_characters(folder / "root")
    height = shape.get("height", HEIGHT)
    network = CRNN(len(Charset(characters)), **shape).eval()
    with tempfile.TemporaryDirectory() as scratch:
        plain, small = Path(scratch, "float.onnx"), Path(scratch, "int8.onnx")
        export_float(network, plain, height)
        quantize(plain, small, LineRenderer(folder, characters, 7), height)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(small), options, providers=["CPUExecutionProvider"])
        lines = np.zeros((8, 1, height, WIDTH * height // HEIGHT), np.float32)
        times = []
        for _ in range(15):
            start = time.process_time()  # others may be busy
            session.run(None, {"lines": lines})
            times.append((time.process_time() - start) / len(lines))
        return (
            sum(value.numel() for value in network.parameters()) / 1e6,
            small.stat().st_size / 1e6,
            1000 * sorted(times)[len(times) // 2],
        )


def real_lines(data: Path) -> dict[str, list[tuple[Path, str]]]:
    """Real English lines, by set."""
    score = load_metric(data.parent / "score.py")
    return {name: list(score.read_lines(data / "sets" / name)) for name in REAL}


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare networks of other sizes.")
    parser.add_argument("folder", type=Path, help="the training folder, with root/ and corpus/")
    parser.add_argument("names", nargs="*", default=list(VARIANTS), help=", ".join(VARIANTS))
    parser.add_argument("--data", type=Path, help="real lines, as in tests.bench.recognition")
    parser.add_argument("--lines", type=int, default=25_000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    renderer = EnglishRenderer(args.folder, all_characters(args.folder / "root"), 1)
    rendered = [renderer.render() for _ in range(400)]
    real = real_lines(args.data) if args.data else {}
    print(
        f"| network | parameters (M) | int8 (MB) | ms a line | rendered, CER |{''.join(f' `{one}` |' for one in real)}"
    )
    print(f"|---|---|---|---|---|{'---|' * len(real)}", flush=True)
    for name in args.names:
        shape = VARIANTS[name]
        parameters, megabytes, milliseconds = cost(shape, args.folder)
        network, charset = train(shape, args.folder, args.lines)
        errors = [character_error_rate((line.text, read(network, charset, shape, line.image)) for line in rendered)]
        for rows in real.values():
            images = ((text, np.asarray(cv2.imread(str(path), 0), np.uint8)) for path, text in rows)
            errors.append(
                character_error_rate(
                    (text.lower(), read(network, charset, shape, image).lower()) for text, image in images
                )
            )
        cells = "".join(f" {error:.1%} |" for error in errors)
        print(f"| {name} | {parameters:.2f} | {megabytes:.1f} | {milliseconds:.2f} |{cells}", flush=True)


if __name__ == "__main__":
    main()
