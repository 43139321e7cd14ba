"""The lint token: leave to sign what was linted, once."""

import pytest

from app.proofs.errors import LintTokenMisused
from app.proofs.signer import LintToken


def test_a_token_is_good_once_for_the_linted_document() -> None:
    token = LintToken(b"a" * 32)
    token.redeem(b"a" * 32)
    with pytest.raises(LintTokenMisused, match="spent"):
        token.redeem(b"a" * 32)


def test_a_token_is_not_good_for_another_document() -> None:
    token = LintToken(b"a" * 32)
    with pytest.raises(LintTokenMisused, match="not the document"):
        token.redeem(b"b" * 32)
    token.redeem(b"a" * 32)
