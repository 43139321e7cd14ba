"""What cannot be canonicalized, keyed or signed.

InvalidInput
├── UnsafeDocument              something in the document would not be covered by a signature
├── UnknownContext              `@context` names a document that is not vendored, or defines terms in line
├── MalformedProofValue         not a signature, or not what the cryptosuite writes
├── MalformedPointer            a JSON Pointer that does not lead anywhere in the document
├── WorkBudgetExceeded          too deep, too large or too entangled to canonicalize
└── InvalidVerificationMethod   not a usable public key, or not one the controller asserts with
Broken
└── LintTokenMisused            a signature was asked for something that was not linted, or twice
"""

from typing import ClassVar

from app.errors import Broken, InvalidInput


class UnsafeDocument(InvalidInput):
    code: ClassVar[str] = "unsafe_document"


class UnknownContext(InvalidInput):
    code: ClassVar[str] = "unknown_context"


class MalformedProofValue(InvalidInput):
    code: ClassVar[str] = "proof_value_malformed"


class MalformedPointer(InvalidInput):
    code: ClassVar[str] = "malformed_pointer"


class WorkBudgetExceeded(InvalidInput):
    code: ClassVar[str] = "work_budget_exceeded"


class InvalidVerificationMethod(InvalidInput):
    code: ClassVar[str] = "invalid_verification_method"


class LintTokenMisused(Broken):
    code: ClassVar[str] = "lint_token_misused"
