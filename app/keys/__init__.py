"""Keys at rest.

Every issuer has its own signing key and every learner a key of their own; both are encrypted (AES-256-GCM, associated data
names the owner) under the key-encryption key from the environment. `vault.py` alone opens them, `signing.py` uses them there;
what the rest of the house sees is the Signer port, sealed bytes, and public keys. An issuer has one active key of an algorithm
(Ed25519 always; P-256, P-384 and RSA where it wants proofs or JWTs made with them).
Rejected: PEM files, keys in environment variables per tenant, and any function that returns a private key.
"""
