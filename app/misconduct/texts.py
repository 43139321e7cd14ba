"""The texts of a case, sealed under the learner's key: what they are accused of, what they say, why the panels decided."""

from typing import Any

from app.keys.vault import PersonalKey
from app.misconduct.store import MisconductCase


def open_texts(key: PersonalKey, case: MisconductCase) -> dict[str, Any]:
    """`notice`, `answer`, `appeal` (text or null) and `reasons`: a list of {stage, text} without names."""
    texts: dict[str, Any] = key.open_json(
        case.sealed_texts, table="misconduct_case", row=case.id, column="sealed_texts"
    )
    return texts


def seal_texts(key: PersonalKey, case_id: str, texts: dict[str, Any]) -> bytes:
    """The pair of `open_texts`."""
    return key.seal_json(texts, table="misconduct_case", row=case_id, column="sealed_texts")
