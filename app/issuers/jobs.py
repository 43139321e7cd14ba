"""The job that a new issuer begins. The room that does it stands above (`app.quality`)."""

FREEZE_QUALITY_JOB = "freeze_quality_reports"
"""Quality reports of windows that are over are frozen; it comes back at the end of each. Payload: issuer_id."""
