"""One shape for every log line: a sentence, a stable event name, and what is bound (job_id, attempt)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.settings import Settings

_CHATTY = ("alembic", "celery.app.trace", "celery.worker.strategy")
"""They say on each job what our own line says better."""
_VALUES = re.compile(r"\n(?:DETAIL|CONTEXT):.*?(?=\n\[SQL|\n\n|\Z)", re.DOTALL)


def set_up(settings: Settings) -> None:
    """Send the log lines of our code and of every library to standard error, as text or as JSON."""
    processors: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_values,
    ]
    renderer: list[structlog.typing.Processor] = (
        [
            structlog.processors.EventRenamer("message"),
            _name_event,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
        if settings.log_format == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*processors, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*processors, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(settings.log_level)
    logging.captureWarnings(True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_values(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut off what PostgreSQL adds to its messages: it repeats whole rows, and they hold texts."""
    for key in ("event", "exception"):
        if isinstance(line.get(key), str):
            line[key] = _VALUES.sub("", line[key])
    return line


def _name_event(_logger: object, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """In JSON the sentence is ``message``, and ``event`` its stable name; for a library's line that of its logger."""
    line["event"] = line.pop("event_name", None) or line.pop("logger", None)
    return line
