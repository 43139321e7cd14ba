"""Issuers: the tenants of this service, each with an Open Badges 3.0 Profile, a DID and a signing key of its own.

The DID is did:web when the public URL is https and did:key otherwise (a quickstart badge then verifies anywhere, offline).
DID, slug and base URL are frozen at creation, because badges carry them; the rest of the Profile may change.
"""
