"""The sample is what its published seed says, to the last id."""

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.readings.sampler import compute_commitment, is_selected

SEED = bytes(range(32))
IDS = [f"{number:032x}" for number in range(10_000)]


@pytest.mark.parametrize("percent", [1, 5, 20, 25, 50, 90])
def test_ten_thousand_ids_are_within_a_point_of_the_rate(percent: int) -> None:
    selected = sum(is_selected(SEED, id_, percent) for id_ in IDS)
    assert abs(selected / len(IDS) * 100 - percent) < 1


def test_nobody_at_nought_and_everybody_at_a_hundred() -> None:
    assert not any(is_selected(SEED, id_, 0) for id_ in IDS)
    assert all(is_selected(SEED, id_, 100) for id_ in IDS)


def test_an_outsider_recomputes_it_from_the_published_seed() -> None:
    """As docs/readings.md says it, in their own words."""

    def outsider(seed: str, submission: str, rate: int) -> bool:
        mac = hmac.new(bytes.fromhex(seed), submission.encode(), hashlib.sha256).digest()
        return int.from_bytes(mac[:8], "big") * 100 < rate * 2**64

    assert [is_selected(SEED, id_, 20) for id_ in IDS] == [outsider(SEED.hex(), id_, 20) for id_ in IDS]
    assert compute_commitment(SEED) == hashlib.sha256(SEED).hexdigest()


def test_another_seed_draws_another_sample() -> None:
    other = bytes(32)
    assert [is_selected(SEED, id_, 20) for id_ in IDS] != [is_selected(other, id_, 20) for id_ in IDS]


@settings(max_examples=200)
@given(seed=st.binary(min_size=32, max_size=32), number=st.integers(0, 2**128 - 1), percent=st.integers(0, 99))
def test_a_higher_rate_keeps_who_was_in(seed: bytes, number: int, percent: int) -> None:
    id_ = f"{number:032x}"
    assert is_selected(seed, id_, percent) <= is_selected(seed, id_, percent + 1)
