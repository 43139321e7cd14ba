"""The Verifiable Credentials Data Model, 2.0 and 1.1: what a credential or presentation of anyone has to look like. PURE.

    values.py          what counts as a URL, a moment, one or several
    members.py         the members that credentials and presentations share: @context, id, type, issuer, …
    credential.py      a credential: CREDENTIAL_RULES, in stages
    presentation.py    a presentation, and enveloped credentials: PRESENTATION_RULES
    related.py         digests of related resources that this service has

A rule is a function from a document to the faults in it; it serves issuing and verifying alike. That contexts define every term
is not for these rules to say: canonicalization does (`app.proofs.rdfc`, with `OpenContexts`).
"""
