"""A real server on loopback, in a thread of this process, for tests whose other side is somebody else's software."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from app.main import create_app
from app.settings import Settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def loopback_settings(directory: Path, key_encryption_key: str, *, origin: str = "http://127.0.0.1") -> Settings:
    """Settings on a SQLite database in `directory`, at a free port of loopback."""
    return Settings.model_validate(
        {
            "database_url": f"sqlite+aiosqlite:///{directory / 'assay.db'}",
            "data_directory": directory,
            "key_encryption_key": key_encryption_key,
            "public_url": f"{origin}:{free_port()}",
            "verify_processes": 1,
            "log_level": "warning",
        }
    )


@contextmanager
def served(settings: Settings, *, tls: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Serve `settings` until the block ends: the base URL. `tls` are the files of a certificate and its key."""
    port = int(settings.public_url.rpartition(":")[2])
    certificate, key = tls or (None, None)
    config = uvicorn.Config(
        create_app(settings), host="127.0.0.1", port=port, log_config=None, lifespan="on",
        ssl_certfile=certificate, ssl_keyfile=key,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the server did not start")
        time.sleep(0.02)
    try:
        yield settings.public_url
    finally:
        server.should_exit = True
        thread.join(timeout=30)
