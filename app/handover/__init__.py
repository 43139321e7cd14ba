"""Handing an issuer everything that this service holds for it, in one file of JSON lines (docs/export.md).

Rejected: a copy of the tables (`assay backup` is that: sealed, and of use to this software alone); a ZIP of documents, whose
table of contents comes last and which has to be stored before it can be sent.
"""
