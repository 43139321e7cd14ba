"""Credentials: the badges themselves, from the intent to sign to their status.

Tables: `award` (one per decision chain) > `credential` (one per view, has the public id) > `edition` (one per signature:
validFrom, status entry, state) > `representation` (the exact bytes per proof profile, sealed under the learner's key).
`issue.py` is the one way to a signature; `status.py` revokes, suspends and reinstates. Spec: Open Badges 3.0, VC Data
Integrity EdDSA Cryptosuites v1.0, Bitstring Status List v1.0.
Rejected: signing before storing the intent, signing again what may have been signed, changing what was issued.
"""
