"""Everything of one issuer at one moment, in the clear: what is sealed is opened, what was signed is there to the byte.

A record is a row of the register. Members of a row are taken as they are, but for bytes, which are taken only where a kind
says how: private keys, token hashes, blind indexes and everything sealed are bytes, so that what is secret cannot get in by
having been forgotten. Of an erased learner there is what the register still has: ids, levels, states, digests and times.
"""

import base64
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.store import ApiClient, Person, PersonRole
from app.achievements.store import Achievement, AchievementVersion, Image, Translation, VectorImage
from app.appeals.appeal import open_texts as open_appeal
from app.appeals.store import Appeal, Moderation, ModerationItem
from app.assessors.store import (
    Anchor,
    AnchorExposure,
    AnchorResponse,
    AnchorSession,
    Assessor,
    Certification,
    CertificationChange,
    MasterReading,
    Panel,
    Training,
)
from app.audit.store import AuditEntry, AuditLink
from app.clr.issue import open_record
from app.clr.store import LearnerRecord, RecordedBadge
from app.credentials.fetch import open_body
from app.credentials.store import Award, Credential, Edition, Representation
from app.db import Table
from app.demographics.store import DemographicDeclaration, DemographicVocabulary
from app.demographics.tell import open_values
from app.endorsements.seal import open_sealed as open_endorsement
from app.endorsements.store import Endorsement
from app.events.store import Event
from app.frameworks.store import Framework, FrameworkVersion
from app.handover.lines import Lines
from app.issuers.carried import CarriedEndorsement
from app.issuers.did_document import verification_method_id
from app.issuers.published import did_document_of
from app.issuers.store import Issuer, get_issuer
from app.keys.store import SigningKey, list_keys
from app.keys.vault import Vault
from app.learners.recipients import open_key
from app.learners.store import Learner, LearnerIdentity
from app.misconduct.store import MisconductCase, MisconductVote
from app.misconduct.texts import open_texts as open_case
from app.monitoring.store import MonitoringRound, RaterFlag
from app.oauth.store import OAuthConsent
from app.obapi.store import BadgeHost, KeptBadge, KeptProfile
from app.pathways.reasons import open_reason as open_proposal
from app.pathways.store import Pathway, PathwayComponent, PathwayProposal, PathwayVersion
from app.people.identities import open_person_key, open_person_value
from app.people.store import Mail, OidcProvider, PersonIdentity
from app.programs.enrollments import open_context
from app.programs.store import Affiliation, Cohort, Enrollment, Program, ProgramAchievement, ScoringPolicy
from app.quality.store import FrozenQualityReport, OpenQualityReport
from app.readings.store import Reading, Resolution, SamplingWindow
from app.readings.texts import open_texts as open_reading
from app.recognition.store import Recognition, RecognizedBadge
from app.reports.equity_store import EquityPeriod
from app.resources import Resources
from app.scoring.award import open_details
from app.scoring.returned import open_return
from app.scoring.store import Decision
from app.statuslists.publish import status_list_url
from app.statuslists.store import StatusList, StatusListPublication
from app.submissions.artifacts import open_details as open_artifact_details
from app.submissions.impact import ImpactFact
from app.submissions.screen import open_note
from app.submissions.statement import open_statement
from app.submissions.store import Artifact, Screening, Submission, Team, TeamMember
from app.submissions.support import open_support
from app.vcapi.issue import open_document as open_generic
from app.vcapi.store import GenericCredential, VcApiSettings

BATCH = 200
BATCH_OF_LARGE = 8

Members = Mapping[str, Any]
Open = Callable[..., Members]
"""Of the place, the row and what it is joined with."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What opening needs to know beside the row."""

    vault: Vault
    base_url: str
    did: str


def _nothing_more(_: _Place, __: Table) -> Members:
    return {}


@dataclass(frozen=True, slots=True)
class _Kind:
    """One type of record: a table, what its rows are joined with, and what is told beside their plain columns."""

    table: type[Table]
    joined: Callable[[Select[Any]], Select[Any]] = lambda query: query
    more: Open = _nothing_more
    batch: int = BATCH

    @property
    def name(self) -> str:
        return str(self.table.__tablename__)

    def query(self, issuer_id: str) -> Select[Any]:
        columns = self.table.__table__.columns
        owner = columns["id"] if self.table is Issuer else columns["issuer_id"]
        query = self.joined(select(self.table)).where(owner == issuer_id)
        return query.order_by(*self.table.__table__.primary_key)

    def count(self, issuer_id: str) -> Select[Any]:
        return select(func.count()).select_from(self.query(issuer_id).order_by(None).subquery())


def _of_learner(table: type[Any]) -> Callable[[Select[Any]], Select[Any]]:
    """Joined with the learner under whose key its rows are sealed."""
    return lambda query: query.add_columns(Learner).join(Learner, _same(Learner, table.issuer_id, table.learner_id))


def _same(table: type[Any], issuer_id: Any, id_: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = (table.issuer_id == issuer_id) & (table.id == id_)
    return condition


def _of_submission(table: type[Any]) -> Callable[[Select[Any]], Select[Any]]:
    """Joined with the learner whose submission its rows belong to."""

    def joined(query: Select[Any]) -> Select[Any]:
        query = query.add_columns(Learner).join(Submission, _same(Submission, table.issuer_id, table.submission_id))
        return query.join(Learner, _same(Learner, Submission.issuer_id, Submission.learner_id))

    return joined


def _with_author(query: Select[Any]) -> Select[Any]:
    """A reading with the learner whose work it is of; one of an anchor has none."""
    of_submission = _same(Submission, Reading.issuer_id, Reading.submission_id)
    query = query.add_columns(Learner).outerjoin(Submission, of_submission)
    return query.outerjoin(Learner, _same(Learner, Submission.issuer_id, Submission.learner_id))


def _of_edition(query: Select[Any]) -> Select[Any]:
    query = query.add_columns(Learner).join(
        Edition, _same(Edition, Representation.issuer_id, Representation.edition_id)
    )
    return query.join(Learner, _same(Learner, Edition.issuer_id, Edition.learner_id))


def _with_publication(query: Select[Any]) -> Select[Any]:
    published = (StatusListPublication.issuer_id == StatusList.issuer_id) & (
        StatusListPublication.status_list_id == StatusList.id
    )
    return query.add_columns(StatusListPublication).join(StatusListPublication, published)


def _with_link(query: Select[Any]) -> Select[Any]:
    return query.add_columns(AuditLink).outerjoin(AuditLink, AuditLink.entry_id == AuditEntry.id)


def _open_signing_key(place: _Place, key: SigningKey) -> Members:
    return {"verification_method": verification_method_id(place.did, key.public_key_multibase)}


def _open_image(_: _Place, image: Image | VectorImage) -> Members:
    return {"data": base64.b64encode(image.data).decode()}


def _open_framework_version(_: _Place, version: FrameworkVersion) -> Members:
    return {"package": version.package.decode()}


def _open_learner(_: _Place, learner: Learner) -> Members:
    return {"erased": learner.sealed_key is None}


def _open_identity(place: _Place, identity: LearnerIdentity, learner: Learner) -> Members:
    sealed = identity.sealed_value
    value = open_key(place.vault, learner).open(
        sealed, table="learner_identity", row=identity.id, column="sealed_value"
    )
    return {"value": value.decode()}


def _of_person(query: Select[Any]) -> Select[Any]:
    mine = _same(Person, PersonIdentity.issuer_id, PersonIdentity.person_id)
    return query.add_columns(Person).join(Person, mine)


def _open_person(_: _Place, person: Person) -> Members:
    return {"erased": person.sealed_key is None}


def _open_person_identity(place: _Place, identity: PersonIdentity, person: Person) -> Members:
    return {"value": open_person_value(open_person_key(place.vault, person), identity)}


def _open_kept_badge(place: _Place, badge: KeptBadge, learner: Learner) -> Members:
    if learner.sealed_key is None:
        return {}
    key = open_key(place.vault, learner)
    return {"body": key.open(badge.sealed_body, table="kept_badge", row=badge.id, column="sealed_body").decode()}


def _open_kept_profile(place: _Place, profile: KeptProfile, learner: Learner) -> Members:
    if learner.sealed_key is None:
        return {}
    key, id_ = open_key(place.vault, learner), profile.learner_id
    return {"body": key.open(profile.sealed_body, table="kept_profile", row=id_, column="sealed_body").decode()}


def _open_decision(place: _Place, decision: Decision, learner: Learner) -> Members:
    is_erased = learner.sealed_key is None
    return {"details": None if is_erased else open_details(open_key(place.vault, learner), decision)}


def _open_enrollment(place: _Place, enrollment: Enrollment, learner: Learner) -> Members:
    is_erased = learner.sealed_key is None
    return {"context": None if is_erased else open_context(place.vault, learner, enrollment)}


def _open_case(place: _Place, case: MisconductCase, learner: Learner) -> Members:
    is_erased = learner.sealed_key is None
    return {"texts": None if is_erased else open_case(open_key(place.vault, learner), case)}


def _open_appeal(place: _Place, appeal: Appeal, learner: Learner) -> Members:
    return {"texts": None if learner.sealed_key is None else open_appeal(place.vault, appeal, learner)}


def _open_declaration(place: _Place, declaration: DemographicDeclaration, learner: Learner) -> Members:
    is_erased = learner.sealed_key is None
    return {"values": None if is_erased else open_values(open_key(place.vault, learner), declaration)}


def _open_proposal(place: _Place, proposal: PathwayProposal, learner: Learner) -> Members:
    return {"reason": None if learner.sealed_key is None else open_proposal(open_key(place.vault, learner), proposal)}


def _open_credential(place: _Place, credential: Credential, learner: Learner) -> Members:
    told = {"url": f"{place.base_url}/credentials/{credential.id}", "status_reason": None}
    if credential.sealed_reason is None or learner.sealed_key is None:
        return told
    key = open_key(place.vault, learner)
    reason = key.open(credential.sealed_reason, table="credential", row=credential.id, column="sealed_reason")
    return {**told, "status_reason": reason.decode()}


def _open_generic(place: _Place, credential: GenericCredential) -> Members:
    """The bytes as text, as of a representation; None once it is deleted or given up."""
    is_gone = credential.sealed_document is None
    return {"body": None if is_gone else open_generic(place.vault, credential).decode()}


def _open_representation(place: _Place, signed: Representation, learner: Learner) -> Members:
    """The bytes as text: decoded from JSON and encoded in UTF-8 it is what was signed, and has the digest."""
    if learner.sealed_key is None:
        return {"body": None}
    key = open_key(place.vault, learner)
    body = open_body(key, signed)
    return {"body": body.decode()}


def _open_submission(place: _Place, submission: Submission, learner: Learner) -> Members:
    if learner.sealed_key is None:
        return {"statement": None, "support_note": None, "return_reason": None}
    key = open_key(place.vault, learner)
    statement = open_statement(key, submission).model_dump(mode="json")
    return {
        "statement": statement,
        "support_note": open_support(key, submission),
        "return_reason": open_return(key, submission),
    }


def _open_artifact(place: _Place, artifact: Artifact, learner: Learner) -> Members:
    """What is said of it; its file is fetched at `url_of_file`, sealed as it is under the learner's key."""
    path = f"{place.base_url}/v1/submissions/{artifact.submission_id}/artifacts/{artifact.id}/file"
    told = {"details": None, "url_of_file": path if artifact.digest else None}
    if learner.sealed_key is None:
        return told
    return {**told, "details": asdict(open_artifact_details(open_key(place.vault, learner), artifact))}


def _open_screening(place: _Place, screening: Screening, learner: Learner) -> Members:
    return {"note": None if learner.sealed_key is None else open_note(open_key(place.vault, learner), screening)}


def _open_reading(place: _Place, reading: Reading, learner: Learner | None) -> Members:
    if learner is None or learner.sealed_key is None:
        return {"texts": None}
    return {"texts": open_reading(open_key(place.vault, learner), reading)}


def _of_maybe_learner(query: Select[Any]) -> Select[Any]:
    """An endorsement with the learner whose badge it speaks of, if it is of one."""
    return query.add_columns(Learner).outerjoin(Learner, _same(Learner, Endorsement.issuer_id, Endorsement.learner_id))


def _open_endorsement(place: _Place, endorsement: Endorsement, learner: Learner | None) -> Members:
    """As with a badge: the bytes as text."""
    if learner is None:
        return {}  # its body is in the clear
    is_erased = learner.sealed_key is None or endorsement.sealed_body is None
    return {"body": None if is_erased else open_endorsement(open_key(place.vault, learner), endorsement).decode()}


def _open_record(place: _Place, record: LearnerRecord, learner: Learner) -> Members:
    """As with a badge: the bytes as text."""
    body = None if learner.sealed_key is None else open_record(open_key(place.vault, learner), record).decode()
    return {"url": f"{place.base_url}/clr/{record.id}", "body": body}


def _open_status_list(place: _Place, status_list: StatusList, publication: StatusListPublication) -> Members:
    url = status_list_url(place.base_url, status_list.id)
    return {"url": url, "published_at": publication.published_at, "body": publication.body.decode()}


def _open_audit_entry(_: _Place, __: AuditEntry, link: AuditLink | None) -> Members:
    """Its link in the chain; None for what an earlier release wrote and nobody has linked yet."""
    return {"link": link and {"position": link.position, "previous": link.previous, "digest": link.digest}}


KINDS = (
    _Kind(Issuer),
    _Kind(SigningKey, more=_open_signing_key),
    _Kind(ApiClient),
    _Kind(Image, more=_open_image, batch=BATCH_OF_LARGE),
    _Kind(VectorImage, more=_open_image, batch=BATCH_OF_LARGE),
    _Kind(Framework),
    _Kind(FrameworkVersion, more=_open_framework_version, batch=BATCH_OF_LARGE),
    _Kind(Achievement),
    _Kind(AchievementVersion),
    _Kind(Translation),
    _Kind(Panel),
    _Kind(Learner, more=_open_learner),
    _Kind(LearnerIdentity, _of_learner(LearnerIdentity), _open_identity),
    _Kind(Decision, _of_learner(Decision), _open_decision),
    _Kind(Award),
    _Kind(Credential, _of_learner(Credential), _open_credential),
    _Kind(Edition),
    _Kind(Representation, _of_edition, _open_representation),
    _Kind(Endorsement, _of_maybe_learner, _open_endorsement),
    _Kind(CarriedEndorsement),
    _Kind(LearnerRecord, _of_learner(LearnerRecord), _open_record),
    _Kind(RecordedBadge),
    _Kind(StatusList, _with_publication, _open_status_list, batch=BATCH_OF_LARGE),
    _Kind(Event),
    _Kind(AuditEntry, _with_link, _open_audit_entry),
    _Kind(Person, more=_open_person),
    _Kind(PersonRole),
    _Kind(PersonIdentity, _of_person, _open_person_identity),
    _Kind(OidcProvider),
    _Kind(OAuthConsent),
    _Kind(Mail),
    _Kind(Program),
    _Kind(ProgramAchievement),
    _Kind(ScoringPolicy),
    _Kind(Cohort),
    _Kind(Enrollment, _of_learner(Enrollment), _open_enrollment),
    _Kind(Affiliation),
    _Kind(Team),
    _Kind(TeamMember),
    _Kind(Submission, _of_learner(Submission), _open_submission),
    _Kind(Artifact, _of_submission(Artifact), _open_artifact),
    _Kind(Screening, _of_submission(Screening), _open_screening),
    _Kind(Assessor),
    _Kind(Training),
    _Kind(Anchor),
    _Kind(MasterReading),
    _Kind(AnchorExposure),
    _Kind(AnchorSession),
    _Kind(AnchorResponse),
    _Kind(Certification),
    _Kind(CertificationChange),
    _Kind(SamplingWindow),
    _Kind(Reading, _with_author, _open_reading),
    _Kind(Resolution),
    _Kind(FrozenQualityReport),
    _Kind(OpenQualityReport),
    _Kind(Appeal, _of_learner(Appeal), _open_appeal),
    _Kind(Moderation),
    _Kind(ModerationItem),
    _Kind(MisconductCase, _of_learner(MisconductCase), _open_case),
    _Kind(MisconductVote),
    _Kind(MonitoringRound),
    _Kind(RaterFlag),
    _Kind(Recognition),
    _Kind(RecognizedBadge),
    _Kind(DemographicVocabulary),
    _Kind(DemographicDeclaration, _of_learner(DemographicDeclaration), _open_declaration),
    _Kind(EquityPeriod),
    _Kind(ImpactFact),
    _Kind(Pathway),
    _Kind(PathwayVersion),
    _Kind(PathwayComponent),
    _Kind(KeptBadge, _of_learner(KeptBadge), _open_kept_badge),
    _Kind(BadgeHost),
    _Kind(KeptProfile, _of_learner(KeptProfile), _open_kept_profile),
    _Kind(PathwayProposal, _of_learner(PathwayProposal), _open_proposal),
    _Kind(VcApiSettings),
    _Kind(GenericCredential, more=_open_generic),
)
"""In the order of the file: what a record names by id stands before it."""


async def count_records(session: AsyncSession, issuer_id: str) -> int:
    """How many records the export of this snapshot has."""
    counts: list[int] = [(await session.execute(kind.count(issuer_id))).scalar_one() for kind in KINDS]
    return sum(counts) + 1


async def export_issuer(session: AsyncSession, world: Resources, issuer_id: str) -> AsyncGenerator[bytes]:
    """The lines of the export. `session` is a snapshot: it is read as long as lines are asked for (`aclosing` ends that).

    Raises NotFound, and Unreadable where something stored does not open: `assay check` tells what.
    """
    issuer = await get_issuer(session, issuer_id)
    place = _Place(world.vault, world.base_url, issuer.did)
    lines = Lines()
    about = {"issuer_id": issuer.id, "slug": issuer.slug, "did": issuer.did, "base_url": world.base_url}
    yield lines.begin({"release": version("assay"), "made_at": world.clock.now(), **about})
    yield lines.add("did_document", await _did_document(session, world, issuer))
    for kind in KINDS:
        rows = await session.stream(kind.query(issuer_id).execution_options(yield_per=kind.batch))
        try:
            async for row in rows:
                yield lines.add(kind.name, {**_plain(row[0]), **kind.more(place, *row)})
        finally:
            await rows.close()
    yield lines.end()


async def _did_document(session: AsyncSession, world: Resources, issuer: Issuer) -> Members:
    document = did_document_of(issuer, await list_keys(session, issuer.id), world.base_url)
    return {"url": f"{world.base_url}/issuers/{issuer.slug}/did.json", "document": document}


def _plain(row: Table) -> dict[str, Any]:
    """The columns of a row but for bytes, and for the issuer, which is the same throughout."""
    return {
        _member(row, column.name): getattr(row, column.name)
        for column in row.__table__.columns
        if column.name != "issuer_id" and not isinstance(column.type, LargeBinary)
    }


def _member(row: Table, column: str) -> str:
    """`type` is the record's own, so an event's is its `event_type`."""
    return f"{row.__tablename__}_type" if column == "type" else column
