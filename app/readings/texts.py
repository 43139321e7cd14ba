"""What an assessor wrote: rationale and feedback by criterion, sealed under the learner's key."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import TypedDict

from sqlalchemy.ext.asyncio import AsyncSession

from app.keys.vault import PersonalKey, Vault
from app.learners.recipients import open_key
from app.learners.store import get_learner
from app.readings.store import Reading
from app.submissions.store import Submission


class Texts(TypedDict):
    rationale: str
    feedback: str | None


async def seal_texts(
    session: AsyncSession, vault: Vault, reading: Reading, submission: Submission | None, texts: Mapping[str, Texts]
) -> None:
    """Keep the texts, by criterion, and the digest of the whole reading. Of an anchor, without submission, texts are not kept.

    The digest is salted, the salt sealed with the texts: after an erasure nothing can be guessed from it.
    """
    sealed = json.dumps({"texts": texts, "salt": secrets.token_hex(16)}, ensure_ascii=False, sort_keys=True)
    reading.digest = _digest(reading, sealed)
    if submission is not None:
        key = open_key(vault, await get_learner(session, reading.issuer_id, submission.learner_id))
        reading.sealed_texts = key.seal(sealed.encode(), table="reading", row=reading.id, column="sealed_texts")


def open_texts(key: PersonalKey, reading: Reading) -> dict[str, Texts]:
    """The texts of a submitted reading by criterion; `key` is that of its submission's learner. Empty for an anchor's.
    Raises Unreadable."""
    if reading.sealed_texts is None:
        return {}
    sealed = key.open_json(reading.sealed_texts, table="reading", row=reading.id, column="sealed_texts")
    texts: dict[str, Texts] = sealed["texts"]
    return texts


def _digest(reading: Reading, sealed: str) -> str:
    whole = json.dumps([reading.id, reading.levels, sealed], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()
