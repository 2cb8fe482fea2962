"""What an .onnx file asks for beyond itself, read from its bytes: onnxruntime would follow such a request silently.

Source: onnx/onnx.proto3 of ONNX 1.18; only the fields that lead to tensors and to operators' domains are followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

OWN_DOMAINS: Final = frozenset(
    {"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"}
)  # of operators that are in every onnxruntime

MODEL, GRAPH, NODE, ATTRIBUTE, SPARSE, FUNCTION, TENSOR = range(7)
INSIDE: Final = {
    MODEL: {7: GRAPH, 25: FUNCTION},
    GRAPH: {1: NODE, 5: TENSOR, 15: SPARSE},
    FUNCTION: {7: NODE},
    NODE: {5: ATTRIBUTE},
    ATTRIBUTE: {5: TENSOR, 6: GRAPH, 10: TENSOR, 11: GRAPH, 22: SPARSE, 23: SPARSE},
    SPARSE: {1: TENSOR, 2: TENSOR},
}  # message -> number of a field -> the message in it
NODE_DOMAIN: Final = 7
TENSOR_LOCATION: Final = 14
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class Demands(NamedTuple):
    """What a model needs beside its file. external: tensors in other files; domains: of operators nobody has here."""

    external: bool
    domains: frozenset[str]


def demands(content: bytes) -> Demands:
    """Look through a model's bytes.

    Raises:
        ValueError: it is no protobuf message.
    """
    external, domains = False, set()
    waiting = [(MODEL, memoryview(content))]
    while waiting:
        message, body = waiting.pop()
        for number, value in _fields(body):
            inner = INSIDE.get(message, {}).get(number)
            if inner is not None and not isinstance(value, int):
                waiting.append((inner, value))
            elif message == TENSOR and number == TENSOR_LOCATION:
                external |= value == 1
            elif message == NODE and number == NODE_DOMAIN and not isinstance(value, int):
                domains.add(bytes(value).decode("utf-8", "replace"))
    return Demands(external, frozenset(domains - OWN_DOMAINS))


def _fields(body: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of one message."""
    at = 0
    while at < len(body):
        key, at = _varint(body, at)
        kind = key & 7
        if kind == VARINT:
            value, at = _varint(body, at)
            yield key >> 3, value
            continue
        if kind == BYTES:
            length, at = _varint(body, at)
        elif kind in (FIXED64, FIXED32):
            length = 8 if kind == FIXED64 else 4
        else:
            raise ValueError(f"no protobuf field begins at byte {at}")
        if at + length > len(body):
            raise ValueError("the file ends within a field")
        yield key >> 3, body[at : at + length]
        at += length


def _varint(body: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(body):
        byte = body[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("the file ends within a number")
