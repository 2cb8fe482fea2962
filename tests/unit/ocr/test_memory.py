"""What a process gives back to the system of what it freed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HELD_AFTER = """
import re, sys
import numpy as np
from worker.ocr.decode import memory

def held():
    return int(re.search(r"VmRSS:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

if sys.argv[1] == "little":
    memory.keep_little()
before = held()
for _ in range(3):
    block = np.ones(20 << 20, np.uint8)
    del block
print(held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_a_large_block_goes_back_as_soon_as_it_is_freed() -> None:
    held = {
        way: int(subprocess.run([sys.executable, "-c", HELD_AFTER, way], capture_output=True, check=True).stdout)
        for way in ("little", "much")
    }
    assert held["little"] < 5 < held["much"], held
