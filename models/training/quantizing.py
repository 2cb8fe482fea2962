"""Static int8 for the convolutions of a network that is exported."""

from __future__ import annotations

import pathlib
import tempfile
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process


class _Samples(quantization.CalibrationDataReader):  # type: ignore[misc]
    """Inputs, one at a time, for the ranges of the activations."""

    def __init__(self, name: str, samples: Iterable[NDArray[np.float32]]) -> None:
        self.name, self.samples = name, iter(samples)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        sample = next(self.samples, None)
        return None if sample is None else {self.name: sample}


def quantize_convolutions(
    source: pathlib.Path,
    target: pathlib.Path,
    name: str,
    samples: Iterable[NDArray[np.float32]],
    exact: Sequence[str] = (),
) -> None:
    """Float ONNX -> ONNX with int8 convolutions (QDQ, a scale for each channel), each together with its ReLU.

    A convolution and its ReLU have one range, which starts at 0. With a range for each, half of the steps would go
    into what the ReLU cuts off, and every convolution would be followed by a way back to float and another into int8.

    Args:
        source, target: the files.
        name: of the input.
        samples: inputs as they come, for the ranges.
        exact: names of nodes that stay float.
    """
    with tempfile.TemporaryDirectory() as folder:
        ready = pathlib.Path(folder, "ready.onnx")
        quant_pre_process(str(source), str(ready), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(ready),
            str(target),
            _Samples(name, samples),
            op_types_to_quantize=["Conv", "Relu"],
            nodes_to_exclude=list(exact),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
