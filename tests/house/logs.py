"""The service's log as an operator sees it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

from app.web.observation import configure_logging

ReadLog = Callable[[], str]
"""What was logged since it was last read."""


@contextmanager
def capture_log(
    capsys: pytest.CaptureFixture[str], level: str = "debug", log_format: str = "json"
) -> Iterator[ReadLog]:
    """Log as the service does, and put everything back afterwards. For the body of a test: pytest swaps streams around it."""
    root = logging.getLogger()
    handlers, root_level, before = root.handlers[:], root.level, structlog.get_config()
    configure_logging(level, log_format)
    try:
        yield lambda: capsys.readouterr().err
    finally:
        structlog.configure(**before)
        root.handlers[:] = handlers
        root.setLevel(root_level)
