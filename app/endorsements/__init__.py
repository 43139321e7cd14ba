"""Endorsement credentials: what third parties and our own issuers say of a Profile, an Achievement or a badge."""
