"""Pictures to send."""

import io
from functools import cache

from PIL import Image


@cache
def sound_png() -> bytes:
    """A PNG that may become a badge's image: 100 pixels a side, one color."""
    buffer = io.BytesIO()
    Image.new("RGB", (100, 100), "navy").save(buffer, "PNG")
    return buffer.getvalue()
