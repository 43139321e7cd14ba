"""From a sanitized SVG to a PNG, in a process of its own.

The renderer (resvg) is native code that keeps the interpreter to itself while it draws, and a small SVG may ask for hours
of drawing. So it draws in a process that has seconds of time and a bounded memory, and ends with them.
"""

import os
import resource
import subprocess
import sys
from contextlib import suppress

from app.openbadges.badge_image import InvalidImage, normalize_png

SECONDS = 10
MEMORY = 1 << 30
"""Address space of the drawing process, in bytes."""


def rasterize(svg: bytes, *, seconds: float = SECONDS) -> bytes:
    """The PNG of what `app.openbadges.svg.sanitize_svg` returned, at the size it says. Blocks: for a thread.

    Raises:
        InvalidImage: it cannot be drawn, or not with that time and memory.
    """
    try:
        drawn = subprocess.run(  # noqa: S603 - our own interpreter and module; it learns none of our secrets
            [sys.executable, "-m", __name__],
            input=svg,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            timeout=seconds,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        cure = "Simplify it: fewer gradients, filters and transparent groups. Or send a PNG."
        raise InvalidImage("The SVG cannot be drawn, or not within the time there is for it.", cure=cure) from None
    return normalize_png(drawn.stdout)


def _draw() -> None:
    """Standard input to standard output. Fonts are not looked for: a sanitized SVG has no texts."""
    for limit, most in ((resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_AS, MEMORY)):
        with suppress(ValueError, OSError):  # not every system knows every limit
            resource.setrlimit(limit, (most, most))
    import resvg_py

    svg = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))


if __name__ == "__main__":
    _draw()
