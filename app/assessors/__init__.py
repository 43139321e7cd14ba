"""Assessment panels: who assessed, as far as the world is told.

A badge names the panel (`credentialSubject.source`), never a person: that protects assessors and blind readings. Members are
opaque codes that only the partner can tie to people.
"""
