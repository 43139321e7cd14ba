"""`assay keys` and `assay tokens`."""

import asyncio
import base64
import secrets
from typing import Annotated

import typer

from app.access.clients import create_client
from app.access.principals import Scope
from app.cli.start import NotReady, console, read_settings, require_ready
from app.issuers.did_document import verification_method_id
from app.issuers.rotate import prepare_rotation, rotate_key
from app.issuers.store import get_issuer_by_slug
from app.keys.store import ED25519
from app.keys.vault import require_encryption_key
from app.operation.reencrypt import Reencrypted, reencrypt
from app.proofs.public_key import KeyAlgorithm
from app.resources import open_resources
from app.statuslists.publish import republish

commands = typer.Typer()
keys = typer.Typer(no_args_is_help=True, help="Issuers' signing keys, and the key that encrypts them.")
tokens = typer.Typer(no_args_is_help=True, help="The operator's tokens.")
commands.add_typer(keys, name="keys")
commands.add_typer(tokens, name="tokens")


@keys.command("new-encryption-key")
def new_encryption_key() -> None:
    """Print a fresh value for ASSAY_KEY_ENCRYPTION_KEY. Keep it: without it every stored key is lost."""
    console.print(base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode(), soft_wrap=True)


@keys.command("rotate")
def rotate(
    slug: Annotated[str, typer.Argument(help="The issuer's slug.")],
    algorithm: Annotated[KeyAlgorithm, typer.Option(help="Of which algorithm.")] = ED25519,
) -> None:
    """Make or replace an issuer's signing key of an algorithm. The one before stays published, and badges it signed verify.

    For an issuer of its own domain: look whether the domain publishes the key that waits, and let it sign if so.
    """
    settings = read_settings()

    async def run() -> str:
        await require_ready(settings)
        async with open_resources(settings) as world:
            await require_encryption_key(world.database, world.vault)
            async with world.database.reading() as session:
                issuer = await get_issuer_by_slug(session, slug)
            published = await prepare_rotation(world, issuer.id, algorithm=algorithm, actor="cli")
            async with world.database.transaction() as session:
                key = await rotate_key(
                    session, world, issuer.id,
                    algorithm=algorithm, published=published, actor="cli", now=world.clock.now(),
                )  # fmt: skip
            await republish(world, issuer.id)
            return verification_method_id(issuer.did, key.public_key_multibase)

    console.print(asyncio.run(run()), soft_wrap=True, highlight=False)


@keys.command("reencrypt")
def reencrypt_all() -> None:
    """Encrypt all keys under ASSAY_KEY_ENCRYPTION_KEY that are still under ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY.

    May run beside servers that have both set, and be stopped and started again at any time.
    """
    settings = read_settings()
    if settings.previous_key_encryption_key is None:
        cure = "Set it to the old key and ASSAY_KEY_ENCRYPTION_KEY to the new one, for the servers too, and start them anew."
        raise NotReady("ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY is not set.", cure=cure)

    async def run() -> Reencrypted:
        await require_ready(settings)
        async with open_resources(settings) as world:
            await require_encryption_key(world.database, world.vault)
            with console.status("Learners …") as status:
                return await reencrypt(world, actor="cli", progress=lambda count: status.update(f"{count} learners …"))

    done = asyncio.run(run())
    console.print(
        f"Encrypted anew: {done.learners} learners and {done.people} people with {done.identities} identities, "
        f"{done.signing_keys} signing keys, {done.others} others. "
        "Nothing is left under the previous key: remove ASSAY_PREVIOUS_KEY_ENCRYPTION_KEY and start the servers anew.",
        soft_wrap=True, highlight=False,
    )  # fmt: skip


@tokens.command("create")
def create_token(name: Annotated[str, typer.Option(help="Who will hold it.")] = "operator") -> None:
    """Make an operator's token: it creates issuers and their API clients. Shown this once."""
    settings = read_settings()

    async def run() -> str:
        await require_ready(settings)
        async with open_resources(settings) as world, world.database.transaction() as session:
            _, token = await create_client(
                session, issuer_id=None, name=name, scopes={Scope.PLATFORM}, expires_at=None, actor="cli",
                now=world.clock.now(),
            )  # fmt: skip
            return token

    console.print(asyncio.run(run()), soft_wrap=True)
