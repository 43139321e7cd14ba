"""Many tests here provoke incidents, which are logged with their traceback."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """Tracebacks as plain text: structlog's default for a terminal renders them with every local variable, in seconds."""
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.KeyValueRenderer()])
    yield
    structlog.configure(**before)
