"""The job that follows from a panel's outcome."""

CLOSE_CASE_JOB = "close_misconduct_case"
"""The outcome is final, or the time for an appeal is over: it takes effect. Payload: issuer_id, case_id."""
