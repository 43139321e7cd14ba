"""How an API client issues: its issuer's DID or a key of its own as did:key, the cryptosuite, whether a status entry is added."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.events.store import record_event
from app.issuers.sign import verification_method_of
from app.issuers.store import get_issuer
from app.keys.store import ED25519, SigningKey, find_active_key, get_active_key
from app.proofs.cryptosuites import SUITES
from app.proofs.verification_method import VerificationMethod
from app.statuslists.store import StatusPurpose
from app.vcapi.errors import NoKeyForCryptosuite, StatusNeedsIssuerDid
from app.vcapi.store import DidMethod, ExistingProof, VcApiSettings, find_settings


@dataclass(frozen=True, slots=True)
class IssuingSettings:
    """`did_method`: "issuer" for the issuer's own DID, "key" for the did:key of the key that signs.

    `status_purpose` is that of the status entry that is added, None for none. `mandatory_pointers` are what each credential
    derived from one with an ecdsa-sd-2023 proof discloses, unless a request says otherwise.
    """

    did_method: DidMethod = "issuer"
    cryptosuite: str = "eddsa-rdfc-2022"
    status_purpose: StatusPurpose | None = None
    existing_proof: ExistingProof = "refuse"
    mandatory_pointers: Sequence[str] = ("/issuer",)


@dataclass(frozen=True, slots=True)
class IssuingKey:
    """The key that signs, and the DID that the credential's issuer has to be."""

    key_id: str
    did: str
    method: VerificationMethod


async def read_settings(session: AsyncSession, issuer_id: str, client_id: str) -> IssuingSettings:
    """Those of the client, or the defaults."""
    row = await find_settings(session, issuer_id, client_id)
    return IssuingSettings() if row is None else _settings_of(row)


def _settings_of(row: VcApiSettings) -> IssuingSettings:
    return IssuingSettings(
        did_method=row.did_method,  # type: ignore[arg-type]  # the database admits no other
        cryptosuite=row.cryptosuite,
        status_purpose=row.status_purpose,  # type: ignore[arg-type]
        existing_proof=row.existing_proof,  # type: ignore[arg-type]
        mandatory_pointers=tuple(row.mandatory_pointers),
    )


async def change_settings(
    session: AsyncSession, issuer_id: str, client_id: str, settings: IssuingSettings, *, actor: str, now: datetime
) -> None:
    """Settle how a client issues from now on. Raises NoKeyForCryptosuite, StatusNeedsIssuerDid, IssuerNotReady."""
    key = await get_issuing_key(session, issuer_id, settings)
    issuer = await get_issuer(session, issuer_id)
    if settings.status_purpose is not None and key.did != issuer.did:
        raise StatusNeedsIssuerDid(
            f"Status lists are {issuer.did}'s, and verifiers want them to be of the credential's own issuer.",
            cure="Issue with did_method `issuer`, or without a status entry.",
        )
    row = await find_settings(session, issuer_id, client_id)
    if row is None:
        row = VcApiSettings(issuer_id=issuer_id, client_id=client_id, created_at=now)
        session.add(row)
    row.did_method, row.cryptosuite = settings.did_method, settings.cryptosuite
    row.status_purpose, row.existing_proof = settings.status_purpose, settings.existing_proof
    row.mandatory_pointers, row.updated_at = list(settings.mandatory_pointers), now
    audit(session, issuer_id=issuer_id, actor=actor, action="vcapi_settings.changed", object_id=client_id,
          content={**asdict(settings), "mandatory_pointers": row.mandatory_pointers}, at=now)  # fmt: skip
    record_event(session, issuer_id, "vcapi_settings.changed", client_id, at=now)
    await session.flush()


async def get_issuing_key(session: AsyncSession, issuer_id: str, settings: IssuingSettings) -> IssuingKey:
    """The issuer's active key for the cryptosuite. Raises NoKeyForCryptosuite, IssuerNotReady."""
    issuer = await get_issuer(session, issuer_id)
    key = await _find_key(session, issuer_id, settings.cryptosuite)
    did = f"did:key:{key.public_key_multibase}" if settings.did_method == "key" else issuer.did
    return IssuingKey(key.id, did, verification_method_of(did, key.public_key_multibase))


async def _find_key(session: AsyncSession, issuer_id: str, cryptosuite: str) -> SigningKey:
    algorithms = SUITES[cryptosuite].keys
    if ED25519 in algorithms:
        return await get_active_key(session, issuer_id)
    for algorithm in sorted(algorithms):
        if (key := await find_active_key(session, issuer_id, algorithm=algorithm)) is not None:
            return key
    raise NoKeyForCryptosuite(
        f"The issuer has no key for {cryptosuite}.",
        cure=f"Make one of {' or '.join(sorted(algorithms))} with POST /v1/issuers/{{issuer_id}}/keys.",
    )
