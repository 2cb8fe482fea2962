"""Whether this processor adds int8 products exactly.

Without VNNI (Intel before Ice Lake, AMD before Zen 4) onnxruntime multiplies unsigned by signed bytes with an
instruction whose sums of two products end at 32,767: of Chinese print one character in 25 is then read as another. It
can make the weights unsigned instead, which is exact everywhere, and on other processors half as fast: so it is asked.
"""

from __future__ import annotations

import base64
import functools

import numpy as np
import onnxruntime

UNSIGNED_WEIGHTS = "session.x64quantprecision"
"""The setting of a session that makes weights unsigned; onnxruntime heeds it where it knows of the overflow at all."""
LARGEST, WEIGHT, TERMS = 255, 127, 2
PRODUCT = base64.b64decode(
    "CAgSADpWChgKAWEKAWISAXkiDU1hdE11bEludGVnZXISAXAqDQgCCAEQA0IBYkoCf39aEwoBYRIOCgwIAhIICgIIAQoCCAJiEwoBeRIOCgwIBhIICgII"
    "AQoCCAFCBAoAEBE="
)
"""An .onnx file: `a`, (1, TERMS) uint8, times as many int8 weights of WEIGHT."""


@functools.cache
def overflows() -> bool:
    """Tell whether the largest product comes out wrong here."""
    session = onnxruntime.InferenceSession(PRODUCT, providers=["CPUExecutionProvider"])
    (product,) = session.run(None, {"a": np.full((1, TERMS), LARGEST, np.uint8)})
    return bool(product[0, 0] != LARGEST * WEIGHT * TERMS)
