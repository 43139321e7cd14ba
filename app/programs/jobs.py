"""The jobs that follow from what happens in a program. Those who read do them (`app.readings`): they stand above this room."""

OPEN_WINDOWS_JOB = "open_sampling_windows"
"""A program was created: its first windows of the sampler are to be published. Payload: issuer_id, program_id."""

RECHECK_CONFLICTS_JOB = "recheck_conflicts"
"""A conflict of interest came up: their readings of the learner's work are taken away. Payload: issuer_id, learner_id."""

RECHECK_PROGRAM_JOB = "recheck_readings_of_program"
"""Another panel reads for a program: readings that were given out go to it. Payload: issuer_id, program_id."""

WATCH_ASSESSORS_JOB = "watch_assessors"
"""A program was created, or a day has passed: the rules of drift and severity are applied to its assessors (`app.monitoring`).
Payload: issuer_id, program_id."""
