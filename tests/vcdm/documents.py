"""Documents of the Data Model, good as they are, for tests to spoil."""

from typing import Any

VC = "https://www.w3.org/ns/credentials/v2"
VC_1 = "https://www.w3.org/2018/credentials/v1"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"


def credential(**members: Any) -> dict[str, Any]:
    """A credential of no profession; a member given as ... is left out."""
    document = {
        "@context": [VC, EXAMPLES],
        "id": "urn:uuid:7f3c5ad6-2f1b-4f6e-8d0c-6a2b7f0e9b11",
        "type": ["VerifiableCredential", "ExampleAlumniCredential"],
        "issuer": "did:example:issuer",
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:subject", "alumniOf": "An Academy"},
    } | members
    return {name: value for name, value in document.items() if value is not ...}


def credential_1(**members: Any) -> dict[str, Any]:
    """The same of the Data Model 1.1."""
    old = {"@context": [VC_1, {"alumniOf": "https://schema.org/alumniOf"}], "type": ["VerifiableCredential"]}
    return credential(**old | {"validFrom": ..., "issuanceDate": "2026-01-01T00:00:00Z"} | members)


def presentation(**members: Any) -> dict[str, Any]:
    document = {"@context": [VC], "type": ["VerifiablePresentation"], "holder": "did:example:subject"} | members
    return {name: value for name, value in document.items() if value is not ...}
