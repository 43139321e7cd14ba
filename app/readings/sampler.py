"""The provable sample of second readings. PURE.

Of each window a seed of 32 random bytes is committed to by its SHA-256, published before the window, and revealed after it:
nobody can choose afterwards whom the sample hits, and anybody can recompute it.
"""

import hashlib
import hmac

SEED_SIZE = 32


def compute_commitment(seed: bytes) -> str:
    """What is published of a seed before its window: SHA-256, hex."""
    return hashlib.sha256(seed).hexdigest()


def is_selected(seed: bytes, submission_id: str, percent: int) -> bool:
    """Whether the sample of `percent` (0 to 100) hits this submission.

    HMAC-SHA256 of the id under the seed, its first 8 bytes as an unsigned big-endian integer, is below percent/100 of 2^64.
    """
    drawn = int.from_bytes(hmac.digest(seed, submission_id.encode(), "sha256")[:8], "big")
    return drawn * 100 < percent << 64
