"""Quarters follow each other through every month."""

from datetime import UTC, datetime, timedelta

import pytest

from app.quarters import parse_quarter, quarter_of, quarters_between, whole_quarters


def test_quarters_follow_each_other() -> None:
    for month in range(36):
        moment = datetime(2026 + month // 12, month % 12 + 1, 17, 13, tzinfo=UTC)
        quarter = quarter_of(moment)
        assert quarter.starts_at <= moment < quarter.ends_at
        assert timedelta(days=90) <= quarter.ends_at - quarter.starts_at <= timedelta(days=92)
        assert quarter_of(quarter.ends_at) == quarter.next()
        assert quarter.next().before() == quarter == quarter.before().next()
        assert quarter.before() < quarter < quarter.next()
        assert quarter.before().label < quarter.label
        assert parse_quarter(quarter.label) == quarter


@pytest.mark.parametrize(
    "label",
    [
        "",
        "2026",
        "2026Q",
        "20261",
        "2026Q0",
        "2026Q5",
        "0000Q1",
        "1026Q1",
        "2026q1",
        "2026Q1 ",
        "2026Q1\n",
        "20260Q1",
        "２026Q1",
    ],
)
def test_what_is_no_label_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match="like 2026Q3"):
        parse_quarter(label)


def test_quarters_between_are_both_included() -> None:
    first, last = parse_quarter("2025Q4"), parse_quarter("2026Q2")
    assert [each.label for each in quarters_between(first, last)] == ["2025Q4", "2026Q1", "2026Q2"]
    assert list(quarters_between(last, first)) == []


def test_a_window_is_cut_down_to_whole_quarters_that_are_over() -> None:
    as_of = datetime(2026, 8, 9, tzinfo=UTC)
    july, april = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    assert whole_quarters(None, None, as_of) == (None, july)
    assert whole_quarters(april, None, as_of) == (april, july)
    assert whole_quarters(april + timedelta(seconds=1), None, as_of) == (july, july)
    assert whole_quarters(None, datetime(2026, 5, 1, tzinfo=UTC), as_of) == (None, april)
