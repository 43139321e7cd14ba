"""The job that ends a case."""

CLOSE_CASE_JOB = "close_misconduct_case"
"""The outcome is final, or the time for an appeal is over: it takes effect. Or the learner was erased, and the case is
discontinued. Payload: issuer_id, case_id."""
