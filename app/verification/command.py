"""Verifying from the command line: no server is needed."""

from app import strict_json
from app.clock import SystemClock
from app.net.client import OutboundClient
from app.settings import Settings
from app.verification.judge import JudgePool
from app.verification.verify import OwnDocuments, Verification, Verifier


async def verify_document(settings: Settings, source: bytes | str, own_documents: OwnDocuments) -> Verification:
    """Verify a badge given as bytes, or as the URL where it is published. Raises MalformedDocument for bytes not JSON."""
    outbound = OutboundClient(allow_networks=settings.outbound_allow_networks, ca_file=settings.outbound_ca_file)
    judges = JudgePool(size=1)
    verifier = Verifier(outbound=outbound, judges=judges, own_documents=own_documents, now=SystemClock().now)
    judges.start_lazily()
    try:
        if isinstance(source, str):
            return await verifier.verify_url(source)
        credential = strict_json.loads(source)
        return await verifier.verify(credential if isinstance(credential, dict) else {})
    finally:
        await judges.close()
        await outbound.close()
