"""That a model gives numbers: one that passed its golden lines may still give none for what it sees later."""

from __future__ import annotations

from typing import Any

import numpy as np


def require_finite(values: Any, where: str) -> None:
    """Let nothing that is no number pass for an empty page or line.

    Raises:
        ArithmeticError: one of the values is infinite, or is no number.
    """
    if not np.isfinite(values).all():
        raise ArithmeticError(
            f"The model gives numbers that are not finite for {where}. Activate another model, or export this one anew "
            "and add it again."
        )
