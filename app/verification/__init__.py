"""Whether a badge is what it says: the public verifier.

Specifications: Open Badges 3.0 section "Verification", Verifiable Credentials Data Model 2.0, Verifiable Credential
Data Integrity 1.0, Bitstring Status List v1.0. Three steps: `verify.py` parses and gathers (the only awaits: keys and
status lists; a fetch that fails is recorded, not raised), `checks.py` judges (pure), and `judge.py` runs the judging in
a process that can be killed, because the cost of canonicalizing a document is the choice of whoever wrote it.

Rejected: fetching contexts (the meaning of a signature would be up to their host), trusting the key a verification
method carries in its own name, and a verdict of "valid" for whatever could not be checked.
"""
