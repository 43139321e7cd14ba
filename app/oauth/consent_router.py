"""/v1/me/consents: what other software may do with what is one's own."""

from fastapi import APIRouter

from app.access.dependencies import AnyPerson
from app.identifiers import Identifier
from app.oauth.bodies import ConsentList, ConsentOut
from app.oauth.consents import revoke_own_consent
from app.oauth.store import OAuthClient, list_consents
from app.web.dependencies import Now, ReadSession, Session
from app.web.problems import responses

router = APIRouter(prefix="/v1/me/consents", tags=["OAuth 2.0"])


@router.get("", operation_id="list_my_consents", responses=responses(401, 403))
async def list_(member: AnyPerson, session: ReadSession) -> ConsentList:
    """The software that one has let at what is one's own, also what one has revoked."""
    consents = await list_consents(session, member.issuer_id, [member.person_id])
    clients = {each.client_id: await session.get_one(OAuthClient, each.client_id) for each in consents}
    return ConsentList(items=[ConsentOut.of(each, clients[each.client_id]) for each in consents])


@router.delete("/{consent_id}", operation_id="revoke_my_consent", responses=responses(401, 403, 404, 422))
async def revoke(consent_id: Identifier, member: AnyPerson, session: Session, now: Now) -> ConsentOut:
    """End what a piece of software may do: all its tokens are over at once."""
    consent = await revoke_own_consent(
        session, member.issuer_id, member.person_id, consent_id, actor=member.actor, now=now
    )
    return ConsentOut.of(consent, await session.get_one(OAuthClient, consent.client_id))
