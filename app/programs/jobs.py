"""The job that follows from an affiliation. Those who read do it (`app.readings`): they stand above this room."""

RECHECK_CONFLICTS_JOB = "recheck_conflicts"
"""A conflict of interest came up: their readings of the learner's work are taken away. Payload: issuer_id, learner_id."""
