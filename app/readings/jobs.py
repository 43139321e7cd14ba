"""The jobs of this room."""

ASSIGN_READINGS_JOB = "assign_readings"
"""Readings that nobody could take are looked at again. Payload: issuer_id, submission_id."""

EXPIRE_READING_JOB = "expire_reading"
"""The lease of a reading is over. Payload: issuer_id, reading_id."""

VALIDITY_PAPER_JOB = "assign_validity_paper"
"""A reading is followed by a validity anchor. Payload: issuer_id, reading_id (of the one it follows)."""

RECOMPUTE_QUALITY_JOB = "recompute_quality_reports"
"""A reading was submitted: the quality reports of this window say otherwise. At most once an hour, by `app.quality`. Payload:
issuer_id, achievement_id."""
