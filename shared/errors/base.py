"""What every error carries."""

from __future__ import annotations

from typing import Any, ClassVar


class OcrelayError(Exception):
    """Something unexpected went wrong. Look into the server's log for the reason."""

    code: ClassVar[str] = "internal_error"
    http_status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False
    phase: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str | None = None, **details: object) -> None:
        self.message = message or " ".join((type(self).__doc__ or self.code).split())
        self.details = details
        super().__init__(self.message)

    def to_json(self) -> dict[str, Any]:
        """Return the ``error`` object of a job: code, message, retryable, phase, details."""
        return {
            "code": self.code,
            "message": self.message,
            "retryable": self.retryable,
            "phase": self.phase,
            "details": dict(self.details),
        }
