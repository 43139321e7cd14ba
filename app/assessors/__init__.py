"""Assessment panels: who assessed, as far as the world is told.

A badge names the panel (`credentialSubject.source`), never a person: that protects assessors and blind readings. Members are
opaque codes that only the partner can tie to people.

An award that somebody else judged before and that is taken over here names an external source in that place: a panel of the kind
`external`, which has no members.
"""
