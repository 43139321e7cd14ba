"""/v1/recognitions: a district or state hands in badges and grants credit for them."""

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy import select

from app.access.dependencies import RecognitionsRead, RecognitionsWrite
from app.access.idempotency import Idempotency, take_key
from app.identifiers import Identifier
from app.recognition.bodies import (
    RecognitionCreate,
    RecognitionLine,
    RecognitionOut,
    RecognizedOut,
    VerificationsCreate,
)
from app.recognition.examine import examine_all
from app.recognition.recognize import look_again, read_mapping, recognize
from app.recognition.store import Recognition, get_recognition, list_badges
from app.reports.answer import CSV, ChosenFormat, Row, write_csv
from app.verification.dependencies import Verifies
from app.web.dependencies import ReadSession, World
from app.web.fields import format_moment
from app.web.pagination import Page, Paging, fetch_page
from app.web.problems import responses

router = APIRouter(prefix="/v1/recognitions", tags=["Recognition"])


@router.post("", status_code=201, operation_id="create_recognition", response_model=RecognitionOut,
             responses=responses(400, 401, 403, 404, 409, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {
                 "unit": "renewal hours",
                 "mapping": [{"achievement_id": "0" * 32, "credit": "15"}],
                 "badges": [{"url": "https://badges.example.org/credentials/4f1c",
                             "recipient": "ada.example@schools.example.org", "reference": "staff-17"}]}}}}})  # fmt: skip
async def create(
    body: RecognitionCreate, tenant: RecognitionsWrite, world: World, verifier: Verifies, idempotency: Idempotency
) -> Response:
    """Verify a set of badges, and grant the credit that the mapping gives for their achievements, once for each badge.

    Each is verified as `POST /v1/verify` does, whoever issued it. The answer says of every badge what became of it; a badge that
    is not valid is no error. Neither badges nor recipients are stored.
    """
    async with world.database.reading() as session:
        await idempotency.replay(session)
        worths = await read_mapping(session, world, tenant.issuer_id, body.mapping)
    findings = await examine_all(verifier, body.badges)
    async with world.database.transaction() as session:
        once = await take_key(idempotency, session)
        recognition, badges = await recognize(session, world, tenant, body, worths, findings)
        out = RecognitionOut.of(recognition, badges)
        await once.remember(out)
    return Response(out.model_dump_json(), 201, media_type="application/json")


@router.get("", operation_id="list_recognitions", responses=responses(400, 401, 403, 422))
async def list_(tenant: RecognitionsRead, session: ReadSession, paging: Paging) -> Page[RecognitionLine]:
    """What you have recognized."""
    query = select(Recognition).where(Recognition.issuer_id == tenant.issuer_id, Recognition.recognizer == tenant.actor)
    rows, cursor = await fetch_page(
        session, query, paging, updated_at=Recognition.updated_at, identifier=Recognition.id
    )
    badges = await list_badges(session, tenant.issuer_id, [row.id for row in rows])
    return Page(items=[RecognitionLine.of(row, badges) for row in rows], next_cursor=cursor)


@router.get("/{recognition_id}", operation_id="get_recognition", response_model=RecognitionOut,
            responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}, **responses(401, 403, 404, 422)})  # fmt: skip
async def get(
    recognition_id: Identifier, tenant: RecognitionsRead, session: ReadSession, chosen: ChosenFormat
) -> Response:
    """One recognition of yours, as JSON or as a table of its badges."""
    recognition = await get_recognition(session, tenant.issuer_id, tenant.actor, recognition_id)
    out = RecognitionOut.of(recognition, await list_badges(session, tenant.issuer_id, [recognition_id]))
    headers = {"Cache-Control": "no-store", "Vary": "Accept"}
    if chosen == "csv":
        return Response(write_csv([_row(out, badge) for badge in out.badges]), media_type=CSV, headers=headers)
    return Response(out.model_dump_json(), media_type="application/json", headers=headers)


@router.post("/{recognition_id}/verifications", operation_id="verify_recognition",
             responses=responses(400, 401, 403, 404, 413, 415, 422),
             openapi_extra={"requestBody": {"content": {"application/json": {"example": {"badges": []}}}}})  # fmt: skip
async def verify_again(
    recognition_id: Identifier, body: VerificationsCreate, tenant: RecognitionsWrite, world: World, verifier: Verifies
) -> RecognitionOut:
    """Look again at the badges that credit was granted for, and see which no longer stand.

    Those of this service are looked at as they are published; hand in again what others issued. No credit is taken away by it.
    """
    await look_again(world, verifier, tenant, recognition_id, body.badges)
    async with world.database.reading() as session:
        recognition = await get_recognition(session, tenant.issuer_id, tenant.actor, recognition_id)
        return RecognitionOut.of(recognition, await list_badges(session, tenant.issuer_id, [recognition_id]))


def _row(out: RecognitionOut, badge: RecognizedOut) -> Row:
    return {
        "number": badge.number,
        "reference": badge.reference,
        "achievement": badge.achievement,
        "issuer": badge.issuer,
        "valid": None if badge.valid is None else str(badge.valid).lower(),
        "reasons": " ".join(badge.reasons),
        "recipient": badge.recipient,
        "outcome": badge.outcome,
        "credit": badge.credit,
        "unit": out.unit,
        "standing": badge.standing,
        "standing_reasons": " ".join(badge.standing_reasons),
        "verified_at": format_moment(badge.verified_at),
    }
