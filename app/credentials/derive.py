"""Showing part of a badge: a derived credential, made of the base proof that only the issuer and the learner get."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.credentials.fetch import fetch_body
from app.credentials.store import Credential, get_current_edition
from app.errors import Conflict
from app.proofs import ecdsa_sd_2023
from app.resources import Resources


class NotSelective(Conflict):
    """The badge was not issued in a profile that lets part of it be shown."""

    code = "not_selective"


async def derive_credential(
    session: AsyncSession, world: Resources, credential: Credential, pointers: Sequence[str]
) -> dict[str, Any]:
    """The badge with what every derived one discloses and what `pointers` (JSON Pointers into it) name beside.

    Raises NotFound before the first edition, NotSelective, MalformedPointer, and Gone when the learner was erased.
    """
    edition = await get_current_edition(session, credential)
    if not any(each["profile"] == ecdsa_sd_2023.CRYPTOSUITE and "skipped" not in each for each in edition.profiles):
        raise NotSelective(
            "The badge was not issued with a base proof of ecdsa-sd-2023.",
            cure="Add ecdsa-sd-2023 to the achievement's proof_profiles and give the issuer a P-256 key; badges issued from "
            "then on have one.",
        )
    _, body, _ = await fetch_body(session, world.vault, credential, profile=ecdsa_sd_2023.CRYPTOSUITE)
    document = json.loads(body)
    [proof] = document["proof"]
    # In a thread: it canonicalizes several times.
    derived = await asyncio.to_thread(ecdsa_sd_2023.derive, document, proof, pointers, contexts=world.contexts)
    return {**derived, "proof": [derived["proof"]]}
