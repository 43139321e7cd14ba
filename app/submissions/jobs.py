"""The jobs that follow from what happens to a submission. Those who read do them (`app.readings`): they stand above this room."""

OPEN_READINGS_JOB = "open_readings"
"""A submission was accepted: readings of it are asked for and assigned. Payload: issuer_id, submission_id."""

CANCEL_READINGS_JOB = "cancel_readings"
"""A submission was withdrawn, held or voided: its unfinished readings end. Payload: issuer_id, submission_id."""
