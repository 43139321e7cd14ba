"""The people who work with an issuer: learners, assessors, leads, approvers, directors, partner viewers, recognizers.

A person belongs to one issuer, where they have roles; who works for two issuers is a person in each. What is known of them is
sealed under a key of their own; a learner who signs in is a person tied to that learner. They sign in by their institution's
OpenID Connect (Core 1.0, authorization code with PKCE) or by a one-time link in an e-mail, and get a session or a token of their
own (`app.access`). E-mail is sent by a job (`mail.py`).
Rejected: passwords; signing in as a partner's API client; persons across issuers, whose erasure nobody could decide.
"""
