"""Work that follows in a room above this one."""

CLOSE_PERIOD_JOB = "close_equity_period"
"""When a quarter ends: what equity reports may tell is worked out and frozen (`app.reports`)."""
