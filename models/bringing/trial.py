"""What a recogniser's file says by how it behaves: two small lines are put in, and what comes out is looked at."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.card import HEIGHTS, ModelFileError

WIDTHS = (128, 256)  # px of the lines on trial; whole multiples of every usual stride
LINES = 2
CHANNELS = (1, 3)
GATED = ["logits", "heard"]  # outputs of ours (K, C) and (K, 2): frames that may hold something, and which they are
ASSUMED_HEIGHT = {1: 32, 3: 48}  # by channels, where the file leaves the height open: ours, and PP-OCR's


@dataclasses.dataclass(frozen=True)
class Shape:
    """The outside of a recogniser.

    Attributes:
        channels, height: of its input.
        time_stride: pixels of input width for one frame of output.
        class_count: labels, with the blank.
        output: `logits`, or `probabilities` where the softmax is in the file.
    """

    channels: int
    height: int
    time_stride: int
    class_count: int
    output: str


def examine(session: Any, name: str, height: int = 0, time_stride: int = 0) -> Shape:
    """Run a session on trial.

    Args:
        session: of onnxruntime.
        name: of the model, for messages.
        height: what its card says; 0: the file or its kind decides.
        time_stride: what its card says; asked of those alone that keep surely blank frames to themselves.

    Raises:
        ModelFileError: it is no recogniser of lines: it takes or gives something else.
    """
    channels, own_height = _input(session, name)
    height = height or own_height or ASSUMED_HEIGHT[channels]
    if height not in HEIGHTS:
        raise ModelFileError(f"{name}: input_height={height} is not supported, only {HEIGHTS[0]}..{HEIGHTS[-1]}.")
    if [one.name for one in session.get_outputs()] == GATED:
        return Shape(channels, height, time_stride, _classes_of_gated(session, name, height, channels), "logits")
    narrow, wide = (_run(session, name, (channels, height, width)) for width in WIDTHS)
    frames = len(narrow)
    if not frames or WIDTHS[0] % frames or len(wide) * WIDTHS[0] != frames * WIDTHS[1]:
        raise ModelFileError(
            f"{name}: {frames} and {len(wide)} frames for lines of {WIDTHS[0]} and {WIDTHS[1]} px. A recogniser gives "
            "frames in proportion to the width; export it with a dynamic width."
        )
    sums = narrow.sum(1)
    is_softmax = narrow.min() >= 0 and narrow.max() <= 1.0 + 1e-3 and np.allclose(sums, 1.0, atol=1e-2)
    output = "probabilities" if is_softmax else "logits"
    return Shape(channels, height, WIDTHS[0] // frames, narrow.shape[1], output)


def _input(session: Any, name: str) -> tuple[int, int]:
    """Channels and height, 0 where the file leaves it open."""
    inputs = session.get_inputs()
    shape = inputs[0].shape if len(inputs) == 1 else []
    if len(shape) != 4 or shape[1] not in CHANNELS or inputs[0].type != "tensor(float)":
        found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in inputs)
        raise ModelFileError(f"{name}: takes {found}. A recogniser takes one tensor(float) (N, 1 or 3, height, width).")
    return shape[1], shape[2] if isinstance(shape[2], int) else 0


def _run(session: Any, name: str, shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """(T, C) for a line of noise; two lines go in, since batches must not be fixed to one."""
    found = _outputs(session, name, shape)
    if len(found) != 1 or found[0].ndim != 3 or len(found[0]) != LINES or found[0].dtype != np.float32:
        raise ModelFileError(f"{name}: gives {_told(found)}. A recogniser gives one float32 (N, frames, classes).")
    frames: NDArray[np.float32] = found[0][0]
    return frames


def _classes_of_gated(session: Any, name: str, height: int, channels: int) -> int:
    """How many classes one has that keeps surely blank frames to itself."""
    logits, heard = _outputs(session, name, (channels, height, WIDTHS[0]))
    if logits.ndim != 2 or heard.shape != (len(logits), 2) or logits.dtype != np.float32 or heard.dtype != np.int64:
        raise ModelFileError(f"{name}: gives {_told([logits, heard])}, not float32 (K, classes) and int64 (K, 2).")
    return int(logits.shape[1])


def _outputs(session: Any, name: str, shape: tuple[int, int, int]) -> list[NDArray[Any]]:
    """What comes out for two lines of noise."""
    lines = np.random.default_rng(0).normal(0, 0.5, (LINES, *shape)).astype(np.float32)
    try:
        found = [np.asarray(one) for one in session.run(None, {session.get_inputs()[0].name: lines})]
    except Exception as error:
        raise ModelFileError(f"{name}: cannot read two lines of {shape} (channels, height, width): {error}") from error
    if not all(np.isfinite(one).all() for one in found if one.dtype.kind == "f"):
        raise ModelFileError(f"{name}: gives numbers that are not finite for two lines of noise. Export it anew.")
    return found


def _told(found: list[NDArray[Any]]) -> str:
    return ", ".join(f"{one.dtype} {one.shape}" for one in found)
