"""What a process writes about its own running; what people did is in the log of the cases."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import structlog

from canceldesk.configuration import reading


def configure(level: int = logging.INFO, *, to: Path | None = None) -> None:
    """Write one line per event of `level` or above to standard error or a file, for people or for
    machines (LOG_FORMAT).
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    as_json = reading.text("LOG_FORMAT") == "json"
    last: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [_for_people(colours=to is None and sys.stderr.isatty())]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler: logging.Handler = logging.FileHandler(to) if to else logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # They write every call and every full queue; what matters of it is in the desk's own log.
    for noisy in ("httpx", "httpcore", "waitress.queue"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _for_people(*, colours: bool) -> structlog.dev.ConsoleRenderer:
    # The renderer's own choice writes what every variable held: keys and clients among it.
    return structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback
    )
