"""Other people's issuers and verifiers behind one face: what each makes of a format, and what it takes and refuses.

A credential is a JSON object (with an embedded proof) or a text (JOSE, SD-JWT). `documents` are what a tool may look up: JSON-LD
contexts, DID documents, keys, status lists, by URL. Whatever else a tool asks for is refused.
"""

import json
import subprocess
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc.jwk import import_key
from openbadgeslib.ob3 import OB3Signer, OB3Verifier
from openbadgeslib.ob3.did import did_key_from_pem
from openbadgeslib.ob3.ldp import add_data_integrity_proof
from openbadgeslib.ob3.verifier import OB3VerificationError
from openvc import Ed25519SigningKey, OpenvcError, P256SigningKey, P384SigningKey, VerificationPolicy, verify_credential
from openvc.did.base import DidResolverRegistry
from openvc.did.did_jwk import DidJwkResolver
from openvc.did.did_key import DidKeyResolver
from openvc.did.did_web import DidWebResolver
from openvc.proof.data_integrity import DataIntegrityProofSuite
from openvc.proof.di_ecdsa_rdfc import EcdsaRdfcProofSuite
from openvc.proof.di_jcs import EcdsaJcsProofSuite, EddsaJcsProofSuite
from openvc.proof.ecdsa_sd import EcdsaSdProofSuite

from app.proofs.multikey import compose_jwk, decode_multikey, encode_multikey
from tests.interop.openbadgeslib_verifier import verify_with_openbadgeslib
from tests.interop.verifier_core import require_node, verify_with_verifier_core

HERE = Path(__file__).resolve().parent

Document = dict[str, Any]
Secured = Document | str
Documents = Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What a tool did with a credential; `reason` in its own words where it did not accept it."""

    kind: Literal["accepted", "refused", "not supported"]
    reason: str = ""


ACCEPTED = Outcome("accepted")


MANDATORY = ["/@context", "/id", "/type", "/issuer", "/validFrom", "/validUntil"]
"""What no derived proof may leave out, by JSON Pointer; also that of an achievement (see SELECTED)."""

SELECTED = ["/credentialSubject"]


class Unsupported(Exception):
    """The tool has no such format."""


Key = Literal["Ed25519", "P-256", "P-384", "RSA"]


@dataclass(frozen=True)
class Format:
    """A row of the table. `profile` is our name of it; `suite`, or `alg` and `typ`, what others call it."""

    name: str
    profile: str
    key: Key
    suite: str | None = None
    alg: str | None = None
    typ: str | None = None


FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format("eddsa-rdfc-2022", "eddsa-rdfc-2022", "Ed25519", suite="eddsa-rdfc-2022"),
        Format("eddsa-jcs-2022", "eddsa-jcs-2022", "Ed25519", suite="eddsa-jcs-2022"),
        Format("Ed25519Signature2020", "Ed25519Signature2020", "Ed25519", suite="Ed25519Signature2020"),
        Format("ecdsa-rdfc-2019, P-256", "ecdsa-rdfc-2019", "P-256", suite="ecdsa-rdfc-2019"),
        Format("ecdsa-rdfc-2019, P-384", "ecdsa-rdfc-2019", "P-384", suite="ecdsa-rdfc-2019"),
        Format("ecdsa-jcs-2019, P-256", "ecdsa-jcs-2019", "P-256", suite="ecdsa-jcs-2019"),
        Format("ecdsa-jcs-2019, P-384", "ecdsa-jcs-2019", "P-384", suite="ecdsa-jcs-2019"),
        Format("ecdsa-sd-2023, derived", "ecdsa-sd-2023", "P-256", suite="ecdsa-sd-2023"),
        Format("ob3-jwt, RS256", "ob3-jwt", "RSA", alg="RS256", typ="JWT"),
        Format("ob3-jwt, ES256", "ob3-jwt", "P-256", alg="ES256", typ="JWT"),
        Format("vc-jose-cose, EdDSA", "vc-jose-cose", "Ed25519", alg="EdDSA", typ="vc+jwt"),
        Format("vc-jose-cose, ES256", "vc-jose-cose", "P-256", alg="ES256", typ="vc+jwt"),
    )
}

SUITES = [each for each in FORMATS.values() if each.suite]
JOSE = [each for each in FORMATS.values() if each.alg]


class Tool(Protocol):
    name: str

    def issue(self, format: Format, credential: Document) -> tuple[Secured, Documents]:
        """`credential` secured under a new key, its issuer put in by the tool; and what is needed to resolve the key.

        Raises Unsupported.
        """
        ...

    def verify(self, format: Format, secured: Secured, documents: Documents) -> Outcome: ...


def issued_by(credential: Document, did: str) -> Document:
    """The credential with this issuer."""
    return {**credential, "issuer": {**credential["issuer"], "id": did}}


def jwt_claims(credential: Document) -> Document:
    """The registered claims that Open Badges 3.0, section 8.2.2, puts beside the credential."""
    moments = {"nbf": "validFrom", "exp": "validUntil"}
    times = {
        claim: int(datetime.fromisoformat(credential[member]).timestamp())
        for claim, member in moments.items()
        if member in credential
    }
    subject = credential["credentialSubject"]["id"]
    return {**credential, "iss": credential["issuer"]["id"], "jti": credential["id"], "sub": subject, **times}


class DigitalBazaar:
    """npm @digitalbazaar/vc with its cryptosuites."""

    name = "@digitalbazaar/vc"

    def __init__(self, contexts: Documents) -> None:
        self._contexts = contexts

    def issue(self, format: Format, credential: Document) -> tuple[Secured, Documents]:
        if format.suite is None:
            raise Unsupported("secures with embedded proofs")
        job = {"do": "issue", "suite": format.suite, "credential": credential}
        if format.key != "Ed25519":
            job["curve"] = format.key
        if format.suite == "ecdsa-sd-2023":
            job["mandatoryPointers"] = MANDATORY
        [made] = _run_node([job], self._contexts)
        if format.suite == "ecdsa-sd-2023":
            chosen = {"do": "derive", "credential": made["credential"], "selectivePointers": SELECTED}
            [made] = _run_node([chosen], self._contexts)
        return made["credential"], {}

    def verify(self, format: Format, secured: Secured, documents: Documents) -> Outcome:
        if format.suite is None:
            return Outcome("not supported", "verifies embedded proofs")
        job = {"do": "verify", "suite": format.suite, "credential": secured}
        return _outcome(_run_node([job], {**self._contexts, **documents})[0])


class Jose:
    """npm jose: the signature and its header, not what the credential says."""

    name = "jose"

    def issue(self, format: Format, credential: Document) -> tuple[Secured, Documents]:
        if format.alg is None:
            raise Unsupported("secures with JOSE")
        payload = {**credential, "issuer": {**credential["issuer"], "id": "did:key"}}
        header: Document = {"typ": format.typ, "kid": "did:key"}
        if format.profile == "ob3-jwt":
            payload = jwt_claims(payload)
            header = {"typ": "JWT", "jwk": True}
        [made] = _run_node([{"do": "sign jws", "alg": format.alg, "header": header, "payload": payload}], {})
        return made["jws"], {}

    def verify(self, format: Format, secured: Secured, documents: Documents) -> Outcome:
        if format.alg is None or not isinstance(secured, str):
            return Outcome("not supported", "verifies JOSE")
        kid = _header_of(secured)["kid"]
        job = {"do": "verify jws", "jws": secured, "jwk": _find_jwk(kid, documents), "algorithms": [format.alg]}
        return _outcome(_run_node([job | {"typ": format.typ}], {})[0])


class OpenVc:
    """PyPI openvc-core."""

    name = "openvc-core"
    _suites: Mapping[str, Callable[[], Any]] = {
        "eddsa-rdfc-2022": DataIntegrityProofSuite,
        "eddsa-jcs-2022": EddsaJcsProofSuite,
        "ecdsa-rdfc-2019": EcdsaRdfcProofSuite,
        "ecdsa-jcs-2019": EcdsaJcsProofSuite,
        "ecdsa-sd-2023": EcdsaSdProofSuite,
    }

    def __init__(self, contexts: Documents) -> None:
        self._contexts = contexts

    def issue(self, format: Format, credential: Document) -> tuple[Secured, Documents]:
        if format.suite not in self._suites:
            raise Unsupported("its VC-JWT has the claim vc of data model 1.1" if format.alg else "unknown cryptosuite")
        private = new_private_key(format)
        did = f"did:key:{encode_multikey(private.public_key())}"  # type: ignore[arg-type]
        method = f"{did}#{did.removeprefix('did:key:')}"
        kind = {"Ed25519": Ed25519SigningKey, "P-256": P256SigningKey, "P-384": P384SigningKey}[format.key]
        signing_key = kind(private, method)  # type: ignore[arg-type]
        suite = self._suites[format.suite]()
        unsecured = issued_by(credential, did)
        more = {"signing_key": signing_key, "verification_method": method, "extra_contexts": self._contexts}
        if format.suite != "ecdsa-sd-2023":
            if "jcs" in format.suite:
                del more["extra_contexts"]
            return suite.add_proof(unsecured, **more), {}
        base = suite.add_base_proof(unsecured, mandatory_pointers=MANDATORY, **more)
        return suite.derive_proof(base, selective_pointers=SELECTED, extra_contexts=self._contexts), {}

    def verify(self, format: Format, secured: Secured, documents: Documents) -> Outcome:
        def fetch(url: str) -> Any:
            if url not in documents:
                raise OpenvcError(f"not known to the tests: {url}")
            return documents[url]

        resolver = DidResolverRegistry([DidKeyResolver(), DidJwkResolver(), DidWebResolver(fetch)])
        policy = VerificationPolicy(require_status=False)
        if isinstance(secured, dict) and len(secured["proof"]) == 1:
            secured = {**secured, "proof": secured["proof"][0]}  # it reads no array, though it has one member
        try:
            verify_credential(secured, policy=policy, resolver=resolver, extra_contexts=self._contexts)
        except OpenvcError as error:
            return Outcome("refused", f"{type(error).__name__}: {error}")
        return ACCEPTED


class OpenBadgesLib:
    """PyPI openbadgeslib."""

    name = "openbadgeslib"

    def issue(self, format: Format, credential: Document) -> tuple[Secured, Documents]:
        private = new_private_key(format)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public_pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if format.profile == "ob3-jwt":
            issuer = "https://school.example/issuers/1"
            return OB3Signer(pem, format.alg).sign_payload(jwt_claims(issued_by(credential, issuer))), {}
        if format.suite != "eddsa-rdfc-2022":
            raise Unsupported("signs eddsa-rdfc-2022 and JWT of Open Badges")
        did = did_key_from_pem(public_pem)
        method = f"{did}#{did.rpartition(':')[2]}"
        secured = add_data_integrity_proof(issued_by(credential, did), pem, method)
        return secured | {"proof": [secured["proof"]]}, {}

    def verify(self, format: Format, secured: Secured, documents: Documents) -> Outcome:
        if isinstance(secured, dict):
            verdict = verify_with_openbadgeslib(secured, download=lambda url: json.dumps(documents[url]).encode())
            return ACCEPTED if verdict.accepted else Outcome("refused", verdict.reason)
        key = _find_jwk(_header_of(secured)["kid"], documents)
        try:
            OB3Verifier(_pem_of(key)).verify(secured)
        except OB3VerificationError as rejection:
            return Outcome("refused", str(rejection))
        return ACCEPTED


class VerifierCore:
    """npm @digitalcredentials/verifier-core: verifies only."""

    name = "verifier-core"

    def issue(self, format: Format, credential: Document) -> tuple[Secured, Documents]:
        raise Unsupported("a verifier")

    def verify(self, format: Format, secured: Secured, documents: Documents) -> Outcome:
        if not isinstance(secured, dict):
            return Outcome("not supported", "verifies embedded proofs")
        [result] = verify_with_verifier_core([secured], documents=documents)
        if result["steps"].get("valid_signature") is True:
            return ACCEPTED
        return Outcome("refused", json.dumps(result["fatal"] or result["log"]))


PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def new_private_key(format: Format) -> PrivateKey:
    """A key of the kind that the format takes."""
    match format.key:
        case "Ed25519":
            return ed25519.Ed25519PrivateKey.generate()
        case "RSA":
            return rsa.generate_private_key(65537, 2048)
        case curve:
            return ec.generate_private_key(ec.SECP256R1() if curve == "P-256" else ec.SECP384R1())


def _run_node(jobs: Sequence[Document], documents: Documents) -> list[Document]:
    require_node()
    run = subprocess.run(
        ["node", str(HERE / "formats.mjs")],
        input=json.dumps({"documents": dict(documents), "jobs": list(jobs)}),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    if run.returncode or len(answers) != len(jobs):
        raise RuntimeError(f"formats.mjs ended with {run.returncode}:\n{run.stderr}")
    return answers


def _outcome(answer: Document) -> Outcome:
    return ACCEPTED if answer.get("verified") else Outcome("refused", answer["error"])


def _header_of(compact: str) -> Document:
    part = compact.partition(".")[0]
    header: Document = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return header


def _find_jwk(kid: str, documents: Documents) -> Document:
    """The key that a `kid` names: a JWK at this very URL, or in a DID document."""
    if "kty" in documents.get(kid, {}):
        return dict(documents[kid])
    for method in documents[kid.partition("#")[0]]["verificationMethod"]:
        if method["id"] == kid:
            return dict(method.get("publicKeyJwk") or compose_jwk(decode_multikey(method["publicKeyMultibase"])))
    raise KeyError(kid)


def _pem_of(jwk: Document) -> bytes:
    pem: bytes = import_key(jwk).as_pem(private=False)
    return pem
