"""Awards, credentials, editions and representations."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from app.credentials.profiles import DEFAULT
from app.db import Table
from app.errors import NotFound

CredentialState = Literal["pending", "issued", "suspended", "revoked", "failed"]
EditionState = Literal["pending", "issued", "superseded", "burned"]

_NOT_BURNED = text("state <> 'burned'")


class Award(Table):
    """That a learner has earned a version of an achievement. `decision_id` is the newest decision of its chain."""

    __tablename__ = "award"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        ForeignKeyConstraint(["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"]),
        UniqueConstraint("issuer_id", "decision_id"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    decision_id: Mapped[str]
    learner_id: Mapped[str]
    achievement_id: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[datetime]


class Credential(Table):
    """A badge: the object behind a public URL.

    `version` is the achievement's version that the edition now served was decided on.

    `edition_number` is that of the edition now served, 0 before the first. `external_id` is that of the decision it was
    first issued on.
    """

    __tablename__ = "credential"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "award_id"], ["award.issuer_id", "award.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        UniqueConstraint("issuer_id", "award_id", "view"),
        CheckConstraint("state IN ('pending', 'issued', 'suspended', 'revoked', 'failed')", name="state"),
        Index(None, "issuer_id", "updated_at", "id"),
        Index(None, "issuer_id", "external_id"),
    )

    issuer_id: Mapped[str] = mapped_column(ForeignKey("issuer.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True, unique=True)
    external_id: Mapped[str | None]
    award_id: Mapped[str]
    learner_id: Mapped[str]
    achievement_id: Mapped[str]
    version: Mapped[int]
    view: Mapped[str]
    visibility: Mapped[str]
    state: Mapped[str]
    sealed_reason: Mapped[bytes | None]
    edition_number: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Edition(Table):
    """One signature's worth of a credential.

    `sealed_unsecured` is the exact document to be signed and `proof_created` the proof's date: together with the key they
    determine the signature, so an interrupted edition can be finished to the same bytes. `claimed_by` and `claimed_until`
    say who is at work on it; whoever finishes it must still hold the claim.

    `profiles` are the further proof profiles that it is issued in, with their keys, and those skipped, with the reason
    (`app.credentials.profiles.write_plan`).

    `learner_id` is whose key it is sealed under. `identity_version` is the state of the learner's identities that it carries:
    a decision has one edition of each.
    """

    __tablename__ = "edition"
    __table_args__ = (
        ForeignKeyConstraint(["issuer_id", "credential_id"], ["credential.issuer_id", "credential.id"]),
        ForeignKeyConstraint(["issuer_id", "status_list_id"], ["status_list.issuer_id", "status_list.id"]),
        ForeignKeyConstraint(["issuer_id", "key_id"], ["signing_key.issuer_id", "signing_key.id"]),
        ForeignKeyConstraint(["issuer_id", "decision_id"], ["decision.issuer_id", "decision.id"]),
        ForeignKeyConstraint(["issuer_id", "learner_id"], ["learner.issuer_id", "learner.id"]),
        UniqueConstraint("issuer_id", "credential_id", "number"),
        Index(
            "uq_edition_decision", "issuer_id", "decision_id", "identity_version", unique=True,
            sqlite_where=_NOT_BURNED, postgresql_where=_NOT_BURNED,
        ),
        UniqueConstraint("status_list_id", "status_list_index"),
        CheckConstraint("state IN ('pending', 'issued', 'superseded', 'burned')", name="state"),
    )  # fmt: skip

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    credential_id: Mapped[str]
    decision_id: Mapped[str]
    learner_id: Mapped[str]
    identity_version: Mapped[int] = mapped_column(default=1, server_default="1")
    version: Mapped[int]
    number: Mapped[int]
    state: Mapped[str]
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    awarded_date: Mapped[datetime]
    status_list_id: Mapped[str]
    status_list_index: Mapped[int]
    status_purpose: Mapped[str]
    key_id: Mapped[str]
    proof_created: Mapped[datetime]
    unsecured_digest: Mapped[str]
    sealed_unsecured: Mapped[bytes]
    profiles: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    claimed_by: Mapped[str | None]
    claimed_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]


class Representation(Table):
    """An edition in one proof profile: the exact bytes, sealed at `place`, and their SHA-256. Append-only."""

    __tablename__ = "representation"
    __table_args__ = (ForeignKeyConstraint(["issuer_id", "edition_id"], ["edition.issuer_id", "edition.id"]),)

    issuer_id: Mapped[str] = mapped_column(primary_key=True)
    edition_id: Mapped[str] = mapped_column(primary_key=True)
    profile: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    sealed_body: Mapped[bytes]
    digest: Mapped[str]

    @property
    def place(self) -> dict[str, str]:
        return representation_place(self.edition_id, self.profile)


def representation_place(edition_id: str, profile: str) -> dict[str, str]:
    """What the bytes of a representation are sealed for: those of one profile do not open as those of another."""
    row = edition_id if profile == DEFAULT else f"{edition_id}/{profile}"
    return {"table": "representation", "row": row, "column": "sealed_body"}


async def list_representations(session: AsyncSession, edition: Edition) -> list[Representation]:
    """All that an edition was issued in, by profile."""
    query = select(Representation).where(
        Representation.issuer_id == edition.issuer_id, Representation.edition_id == edition.id
    )
    return list((await session.scalars(query.order_by(Representation.profile))).all())


async def get_credential(session: AsyncSession, issuer_id: str, credential_id: str) -> Credential:
    """Raises NotFound, also for a credential of another issuer."""
    credential = await session.get(Credential, (issuer_id, credential_id))
    if credential is None:
        raise NotFound("There is no credential with this id.")
    return credential


async def lock_credential(session: AsyncSession, issuer_id: str, credential_id: str) -> Credential:
    """As `get_credential`, with the row locked: the first lock any change of a badge takes."""
    query = select(Credential).where(Credential.issuer_id == issuer_id, Credential.id == credential_id)
    locked = query.with_for_update().execution_options(populate_existing=True)
    credential = (await session.scalars(locked)).one_or_none()
    if credential is None:
        raise NotFound("There is no credential with this id.")
    return credential


async def get_public_credential(session: AsyncSession, credential_id: str) -> Credential:
    """Whichever issuer's, if it has an issued edition and is not private. Raises NotFound."""
    query = select(Credential).where(
        Credential.id == credential_id, Credential.visibility != "private", Credential.edition_number > 0
    )
    credential = (await session.scalars(query)).one_or_none()
    if credential is None:
        raise NotFound("There is no credential with this id.")
    return credential


async def find_award(session: AsyncSession, issuer_id: str, decision_id: str) -> Award | None:
    """The award whose newest decision this is."""
    query = select(Award).where(Award.issuer_id == issuer_id, Award.decision_id == decision_id)
    return (await session.scalars(query)).one_or_none()


async def find_credential_of_award(
    session: AsyncSession, issuer_id: str, award_id: str, *, view: str = "detailed"
) -> Credential | None:
    query = select(Credential).where(
        Credential.issuer_id == issuer_id, Credential.award_id == award_id, Credential.view == view
    )
    return (await session.scalars(query)).one_or_none()


async def list_credentials_of_learner(session: AsyncSession, issuer_id: str, learner_id: str) -> list[Credential]:
    """All badges of a learner, oldest first."""
    query = select(Credential).where(Credential.issuer_id == issuer_id, Credential.learner_id == learner_id)
    return list((await session.scalars(query.order_by(Credential.created_at, Credential.id))).all())


async def lock_credentials_of_learner(session: AsyncSession, issuer_id: str, learner_id: str) -> list[Credential]:
    """All badges of a learner, their rows locked in the order of their ids."""
    query = select(Credential).where(Credential.issuer_id == issuer_id, Credential.learner_id == learner_id)
    locked = query.order_by(Credential.id).with_for_update().execution_options(populate_existing=True)
    return list((await session.scalars(locked)).all())


async def get_edition(session: AsyncSession, issuer_id: str, edition_id: str) -> Edition:
    """Raises NotFound."""
    edition = await session.get(Edition, (issuer_id, edition_id))
    if edition is None:
        raise NotFound("There is no edition with this id.")
    return edition


async def find_edition_of_decision(session: AsyncSession, issuer_id: str, decision_id: str) -> Edition | None:
    """The newest edition that rests on this decision, if there is one that was not burned; else the burned one."""
    query = select(Edition).where(Edition.issuer_id == issuer_id, Edition.decision_id == decision_id)
    newest = query.order_by(Edition.state == "burned", Edition.number.desc()).limit(1)
    return (await session.scalars(newest)).one_or_none()


async def list_editions(session: AsyncSession, issuer_id: str, credential_id: str) -> list[Edition]:
    """All editions of a credential, oldest first."""
    query = select(Edition).where(Edition.issuer_id == issuer_id, Edition.credential_id == credential_id)
    return list((await session.scalars(query.order_by(Edition.number))).all())


async def list_standing_editions(session: AsyncSession, issuer_id: str, credential_ids: list[str]) -> list[Edition]:
    """Of these credentials the editions that are served or being signed."""
    query = select(Edition).where(
        Edition.issuer_id == issuer_id,
        Edition.credential_id.in_(credential_ids),
        Edition.state.in_(("pending", "issued")),
    )
    return list((await session.scalars(query)).all())


async def get_current_edition(session: AsyncSession, credential: Credential) -> Edition:
    """The edition now served. Raises NotFound before the first is issued."""
    query = select(Edition).where(
        Edition.issuer_id == credential.issuer_id,
        Edition.credential_id == credential.id,
        Edition.number == credential.edition_number,
    )
    edition = (await session.scalars(query)).one_or_none()
    if edition is None:
        raise NotFound("The credential has not been issued yet.")
    return edition


async def list_current_editions(
    session: AsyncSession, issuer_id: str, credentials: list[Credential]
) -> dict[str, Edition]:
    """The served editions of these credentials, by credential id."""
    query = (
        select(Edition)
        .join(
            Credential,
            (Credential.issuer_id == Edition.issuer_id)
            & (Credential.id == Edition.credential_id)
            & (Credential.edition_number == Edition.number),
        )
        .where(Edition.issuer_id == issuer_id, Edition.credential_id.in_([c.id for c in credentials]))
    )
    return {edition.credential_id: edition for edition in (await session.scalars(query)).all()}


async def get_representation(session: AsyncSession, edition: Edition, profile: str) -> Representation:
    """Raises NotFound."""
    found = await session.get(Representation, (edition.issuer_id, edition.id, profile))
    if found is None:
        raise NotFound(f"The credential has no representation in the profile {profile}.")
    return found


async def claim_edition(
    session: AsyncSession, issuer_id: str, edition_id: str, *, claim: str, now: datetime, until: datetime
) -> bool:
    """Take over a pending edition whose earlier claim has run out. False when somebody else is at work or it is done."""
    statement = (
        update(Edition)
        .where(
            Edition.issuer_id == issuer_id,
            Edition.id == edition_id,
            Edition.state == "pending",
            Edition.claimed_until < now,
        )
        .values(claimed_by=claim, claimed_until=until)
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).first() is not None


async def settle_edition(
    session: AsyncSession, issuer_id: str, edition_id: str, *, claim: str, state: EditionState, now: datetime
) -> bool:
    """Make a pending edition issued or burned, if `claim` still holds it. False otherwise."""
    statement = (
        update(Edition)
        .where(
            Edition.issuer_id == issuer_id,
            Edition.id == edition_id,
            Edition.state == "pending",
            Edition.claimed_by == claim,
        )
        .values(state=state, issued_at=now if state == "issued" else None, claimed_by=None, claimed_until=None)
        .returning(Edition.id)
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(statement)).first() is not None
