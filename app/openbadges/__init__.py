"""Open Badges 3.0, as 1EdTech wrote it down: the data model, and badges composed from facts and linted before they
are signed.

Specification: Open Badges 3.0 (Final), on the W3C Verifiable Credentials Data Model 2.0; contexts VC v2 and OB
3.0.3. The classes in `profile`, `achievement` and `credential` are the strict form: camelCase members, arrays for
sets, nothing unknown, nothing null. They generate `schemas/json/achievement_credential.json`, which `conformance`
has compiled; a badge is built as a plain dict (`compose`), because what is signed is the document and not an object
that prints like it.

Pure: no I/O, no clock, no settings. Rejected: building badges from class instances (two shapes of one document), and
1EdTech's published schema as the gate (open: it lets a misspelled optional member through, unsigned).
"""
