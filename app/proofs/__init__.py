"""Securing mechanisms for W3C Verifiable Credentials: pure functions, nothing that touches the world.

Verifiable Credential Data Integrity 1.0 with the suites that `cryptosuites` lists, over RDF Dataset Canonicalization (RDFC-1.0,
SHA-256) or JCS (RFC 8785), and Multikey (Controlled Identifiers v1.0).

The canonicalizer is PyLD's, run strictly: a member that JSON-LD would drop, and so leave unsigned, is a fault instead.
Rejected: fetching contexts (they are vendored and pinned by hash) and inline contexts (they redefine what is signed). No key is
held here: signing goes through the port in `signer`, which wants the token that only the linter hands out.
"""
