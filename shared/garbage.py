"""Python's garbage collector, kept from looking at what stays as long as the process does."""

from __future__ import annotations

import gc


def leave_out_loaded() -> None:
    """Leave everything that is loaded by now out of all rounds of the collector: call once it is, before the work.

    A full round looks at every object of every module, for a tenth of a second, in which a process of the API answers
    nobody; one came after some two thousand lines of text. What is loaded is never garbage.
    """
    gc.collect()
    gc.freeze()
