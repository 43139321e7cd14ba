"""The job of this room."""

END_APPEALS_JOB = "end_appeals"
"""The learner was erased: what they have appealed against cannot be read again. Payload: issuer_id, submission_id."""
