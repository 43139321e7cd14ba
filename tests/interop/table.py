"""docs/interop.md: who accepts what. What is not among the EXCEPTIONS is accepted; the tests hold all of it to that."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.interop.tools import FORMATS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "interop.md"

TOOLS: Mapping[str, str] = {
    "@digitalbazaar/vc": "npm @digitalbazaar/vc 7.3 with its cryptosuites",
    "openvc-core": "PyPI openvc-core 1.37",
    "openbadgeslib": "PyPI openbadgeslib 4.6",
    "jose": "npm jose 6.2: signature and header, not what the credential says",
    "verifier-core": "npm @digitalcredentials/verifier-core 1.0.0-beta.11, of VerifierPlus and Learner Credential Wallet",
}

Kind = Literal["refused", "not supported"]


@dataclass(frozen=True)
class Except:
    """Why a cell is not "accepted". `says` is part of what is answered there; None where it is not even asked."""

    kind: Kind
    why: str
    says: str | None = None


EMBEDDED = [each.name for each in FORMATS.values() if each.suite]
TOKENS = [each.name for each in FORMATS.values() if each.alg]

OURS: dict[tuple[str, str], Except] = {}
"""What we issue, by tool and format."""

THEIRS: dict[tuple[str, str], Except] = {}
"""What they issue, by tool and format, in our verifier."""


def _put(table: dict[tuple[str, str], Except], tool: str, names: list[str], exception: Except) -> None:
    table.update({(tool, name): exception for name in names})


_put(OURS, "@digitalbazaar/vc", TOKENS, Except("not supported", "embedded proofs only"))
_put(THEIRS, "@digitalbazaar/vc", TOKENS, Except("not supported", "embedded proofs only"))
_put(OURS, "jose", EMBEDDED, Except("not supported", "JOSE only"))
_put(THEIRS, "jose", EMBEDDED, Except("not supported", "JOSE only"))
_put(OURS, "verifier-core", TOKENS, Except("not supported", "embedded proofs only"))
_put(
    OURS, "verifier-core", [name for name in EMBEDDED if name not in ("eddsa-rdfc-2022", "Ed25519Signature2020")],
    Except("not supported", "the suites eddsa-rdfc-2022 and Ed25519Signature2020 only", "The signature is not valid"),
)  # fmt: skip
_put(THEIRS, "verifier-core", [*EMBEDDED, *TOKENS], Except("not supported", "a verifier"))
_put(
    OURS, "openbadgeslib", [name for name in EMBEDDED if name not in ("eddsa-rdfc-2022", "ecdsa-sd-2023, derived")],
    Except("not supported", "the suites eddsa-rdfc-2022 and ecdsa-sd-2023 only", "supported cryptosuites"),
)  # fmt: skip
_put(
    THEIRS, "openbadgeslib",
    [name for name in (*EMBEDDED, *TOKENS) if name != "eddsa-rdfc-2022" and not name.startswith("ob3-jwt")],
    Except("not supported", "issues eddsa-rdfc-2022 and the JWT of Open Badges 3.0"),
)  # fmt: skip
OURS["openvc-core", "Ed25519Signature2020"] = Except("not supported", "no such suite", "unsupported Data Integrity")
_put(
    OURS, "openvc-core", ["ob3-jwt, RS256", "ob3-jwt, ES256"],
    Except("refused", "wants a key of the issuer's DID document; in Open Badges 3.0 `kid` is the URL of a JWK",
           "no verification method for kid"),
)  # fmt: skip
_put(
    OURS, "openvc-core", ["vc-jose-cose, EdDSA", "vc-jose-cose, ES256"],
    Except("not supported", "JWT of data model 1.1 only", "no issuer (iss / vc.issuer) present"),
)  # fmt: skip
_put(
    OURS, "openbadgeslib", ["vc-jose-cose, EdDSA", "vc-jose-cose, ES256"],
    Except("not supported", "the JWT of Open Badges 3.0 only", "required 'iss' claim"),
)  # fmt: skip
OURS["openvc-core", "ecdsa-rdfc-2019, P-384"] = Except(
    "refused", "canonicalizes with SHA-256 where the suite wants SHA-384 with a P-384 key", "does not verify"
)
_put(
    THEIRS, "openvc-core", ["eddsa-jcs-2022", "ecdsa-jcs-2019, P-256", "ecdsa-jcs-2019, P-384"],
    Except("refused", "signs the `@context` of the proof and leaves it out of the proof (`@digitalbazaar/vc` refuses it as well)",
           "signature_invalid"),
)  # fmt: skip
THEIRS["openvc-core", "ecdsa-sd-2023, derived"] = Except(
    "refused", "writes blank node labels (`_:b0`) as ids into what it discloses", "This is not an absolute IRI"
)
_put(
    THEIRS, "openbadgeslib", ["ob3-jwt, RS256", "ob3-jwt, ES256"],
    Except("refused", "puts the key into the token (`jwk`), where nothing ties it to the issuer",
           "Nothing ties the key to the issuer"),
)  # fmt: skip
THEIRS["openvc-core", "Ed25519Signature2020"] = Except("not supported", "no such suite")
_put(THEIRS, "openvc-core", TOKENS, Except("not supported", "issues JWT of data model 1.1 only"))

EXCEPTIONS = {"ours": OURS, "theirs": THEIRS}


def render() -> str:
    """The page."""
    notes: list[str] = []
    ours, theirs = (_write_table(EXCEPTIONS[which], notes) for which in ("ours", "theirs"))
    listed = "\n".join(f"{number}. {note}" for number, note in enumerate(notes, start=1))
    software = "\n".join(f"- `{name}`: {what}" for name, what in TOOLS.items())
    return f"""# With other people's software

Made by `make interop` out of what the tests of `tests/interop` hold to. They run each cell with a sound badge and with one of
which a word was changed. “Accepted” means that the first passed and the second did not.

{software}

## Badges of this service

Each column verifies a badge that was issued here in the format of the row.

{ours}

## Badges made with other software

Each column issues in the format of the row, and `POST /v1/verify` verifies it.

{theirs}

## Notes

{listed}
"""


def _write_table(exceptions: Mapping[tuple[str, str], Except], notes: list[str]) -> str:
    head = f"| format | {' | '.join(f'`{name}`' for name in TOOLS)} |\n|---|{'---|' * len(TOOLS)}"
    rows = [
        f"| {name} | {' | '.join(_write_cell(exceptions, tool, name, notes) for tool in TOOLS)} |" for name in FORMATS
    ]
    return "\n".join([head, *rows])


def _write_cell(exceptions: Mapping[tuple[str, str], Except], tool: str, name: str, notes: list[str]) -> str:
    found = exceptions.get((tool, name))
    if found is None:
        return "accepted"
    note = f"`{tool}`: {found.why}."
    if note not in notes:
        notes.append(note)
    kind = "refused by design" if found.kind == "refused" else found.kind
    return f"{kind} ({notes.index(note) + 1})"


if __name__ == "__main__":
    PAGE.write_text(render())
    sys.stdout.write(f"{PAGE}\n")
