"""The texts of a case, sealed under the learner's key: what they are accused of, what they say, why the panels decided."""

import json
from typing import Any

from app.keys.vault import PersonalKey
from app.misconduct.store import MisconductCase


def open_texts(key: PersonalKey, case: MisconductCase) -> dict[str, Any]:
    """`notice`, `answer`, `appeal` (text or null) and `reasons`: a list of {stage, text} without names."""
    plain = key.open(case.sealed_texts, table="misconduct_case", row=case.id, column="sealed_texts")
    texts: dict[str, Any] = json.loads(plain)
    return texts


def seal_texts(key: PersonalKey, case_id: str, texts: dict[str, Any]) -> bytes:
    """The pair of `open_texts`."""
    plain = json.dumps(texts, ensure_ascii=False).encode()
    return key.seal(plain, table="misconduct_case", row=case_id, column="sealed_texts")
