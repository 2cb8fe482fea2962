"""What a process keeps of what it freed, and what it gives back to the system."""

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

memory.keep_freed()
before = held()
blocks = [np.ones(20 << 20, np.uint8) for _ in range(int(sys.argv[1]))]
del blocks
kept = held() - before
memory.give_back()
print(kept, held() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
@pytest.mark.parametrize(("count", "is_kept"), [(9, True), (15, False)])
def test_what_a_page_took_is_kept_for_the_next_and_what_is_more_goes_back(count: int, is_kept: bool) -> None:
    done = subprocess.run([sys.executable, "-c", HELD_AFTER, str(count)], capture_output=True, check=True)
    freed, after = (int(number) for number in done.stdout.split())
    assert freed >= 20 * count - 5, "left to itself the allocator gives it back at once"
    assert after == pytest.approx(20 * count if is_kept else 0, abs=5)
