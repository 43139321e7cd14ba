"""What the audit chain commits to of a frozen quality report. PURE."""

from typing import Any

FROZEN = "quality_report.frozen"
"""The audit entry, and the event, of a report."""


def compose_report_commitment(version: int, window: str, digest: str) -> dict[str, Any]:
    """`digest` is the SHA-256 (hex) of the report's bytes; the entry's object is the achievement."""
    return {"version": version, "window": window, "digest": digest}
