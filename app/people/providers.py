"""Verbs on OpenID providers: the registrations of an issuer at its institutions."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.audit.store import audit
from app.errors import Conflict, NotFound
from app.events.store import record_event
from app.identifiers import new_id
from app.keys.vault import PersonalKey, Vault
from app.people.store import OidcProvider


class ProviderTaken(Conflict):
    """The issuer has this OpenID provider already."""

    code = "oidc_provider_taken"


@dataclass(frozen=True, slots=True)
class Registration:
    """What the provider gave out: its issuer identifier (a URL), and the client's id and secret."""

    name: str
    provider_issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class ProviderChanges:
    """What is to be different; None leaves it as it is."""

    name: str | None = None
    client_secret: str | None = None
    is_active: bool | None = None


async def add_provider(
    session: AsyncSession, vault: Vault, issuer_id: str, registration: Registration, *, actor: str, now: datetime
) -> OidcProvider:
    """Let people of this issuer sign in at a provider. Raises ProviderTaken."""
    same = select(OidcProvider.id).where(
        OidcProvider.issuer_id == issuer_id, OidcProvider.provider_issuer == registration.provider_issuer
    )
    if (await session.scalars(same)).one_or_none() is not None:
        raise ProviderTaken("The issuer has this OpenID provider already.")
    id_ = new_id()
    provider = OidcProvider(
        issuer_id=issuer_id, id=id_, name=registration.name, provider_issuer=registration.provider_issuer,
        client_id=registration.client_id, sealed_key=vault.new_personal_key(issuer_id, id_), sealed_client_secret=b"",
        is_active=True, created_at=now, updated_at=now,
    )  # fmt: skip
    _seal_secret(vault, provider, registration.client_secret)
    session.add(provider)
    audit(session, issuer_id=issuer_id, actor=actor, action="oidc_provider.created", object_id=id_,
          content={"provider_issuer": registration.provider_issuer}, at=now)  # fmt: skip
    record_event(session, issuer_id, "oidc_provider.created", id_, at=now)
    await session.flush()
    return provider


async def change_provider(
    session: AsyncSession, vault: Vault, provider: OidcProvider, changes: ProviderChanges, *, actor: str, now: datetime
) -> None:
    """Change a provider. One that is not active signs nobody in; its people stay tied to it."""
    changed = []
    if changes.name not in (None, provider.name):
        provider.name = changes.name
        changed.append("name")
    if changes.client_secret is not None:
        _seal_secret(vault, provider, changes.client_secret)
        changed.append("client_secret")
    if changes.is_active not in (None, provider.is_active):
        provider.is_active = changes.is_active
        changed.append("is_active")
    if changed:
        provider.updated_at = now
        audit(session, issuer_id=provider.issuer_id, actor=actor, action="oidc_provider.changed", object_id=provider.id,
              content={"changed": changed}, at=now)  # fmt: skip
        record_event(session, provider.issuer_id, "oidc_provider.changed", provider.id, at=now,
                     data={"changed": changed})  # fmt: skip
    await session.flush()


async def get_provider(session: AsyncSession, issuer_id: str, provider_id: str) -> OidcProvider:
    """Raises NotFound, also for a provider of another issuer."""
    provider = await session.get(OidcProvider, (issuer_id, provider_id))
    if provider is None:
        raise NotFound("There is no OpenID provider with this id.")
    return provider


async def lock_provider(session: AsyncSession, issuer_id: str, provider_id: str) -> OidcProvider:
    """As `get_provider`, with the row locked."""
    query = select(OidcProvider).where(OidcProvider.issuer_id == issuer_id, OidcProvider.id == provider_id)
    provider = (await session.scalars(query.with_for_update())).one_or_none()
    if provider is None:
        raise NotFound("There is no OpenID provider with this id.")
    return provider


async def get_active_provider(session: AsyncSession, issuer_id: str, provider_id: str) -> OidcProvider:
    """Raises NotFound, also for one that signs nobody in any more."""
    provider = await get_provider(session, issuer_id, provider_id)
    if not provider.is_active:
        raise NotFound("There is no OpenID provider with this id.")
    return provider


async def list_active_providers(session: AsyncSession, issuer_id: str) -> list[OidcProvider]:
    """Those that people can sign in at, by name."""
    query = select(OidcProvider).where(OidcProvider.issuer_id == issuer_id, OidcProvider.is_active)
    return list((await session.scalars(query.order_by(OidcProvider.name, OidcProvider.id))).all())


def open_provider_key(vault: Vault, provider: OidcProvider) -> PersonalKey:
    """The key that the provider's secret, and the secrets of sign-ins under way there, are sealed under."""
    return vault.open_personal_key(provider.sealed_key, issuer_id=provider.issuer_id, owner_id=provider.id)


def open_client_secret(vault: Vault, provider: OidcProvider) -> str:
    """The client secret in the clear, for the token endpoint only."""
    key = open_provider_key(vault, provider)
    place = {"table": "oidc_provider", "row": provider.id, "column": "sealed_client_secret"}
    return key.open(provider.sealed_client_secret, **place).decode()


def _seal_secret(vault: Vault, provider: OidcProvider, secret: str) -> None:
    place = {"table": "oidc_provider", "row": provider.id, "column": "sealed_client_secret"}
    provider.sealed_client_secret = open_provider_key(vault, provider).seal(secret.encode(), **place)
