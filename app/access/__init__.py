"""Who may do what.

A principal is the platform (the operator's token), an API client of one issuer, or a person with roles in one issuer.
Routes ask for a scope through a typed alias of `dependencies`, so a signature reads as its permission; every query a route
makes carries the principal's issuer, so another issuer's objects do not exist for it. `idempotency.py` keeps the answers of
POSTs that create, per principal.
Rejected: passwords, tokens stored in the clear, permission checks inside verbs.
"""
