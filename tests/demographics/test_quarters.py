"""Quarters follow each other through every month."""

from datetime import UTC, datetime, timedelta

from app.demographics.quarters import next_quarter, quarter_before, quarter_of


def test_quarters_follow_each_other() -> None:
    for month in range(36):
        moment = datetime(2026 + month // 12, month % 12 + 1, 17, 13, tzinfo=UTC)
        began, ends = quarter_of(moment), next_quarter(moment)
        assert began <= moment < ends
        assert timedelta(days=90) <= ends - began <= timedelta(days=92)
        assert quarter_of(ends) == ends
        assert quarter_before(ends) == began
        assert next_quarter(quarter_before(moment)) == began
