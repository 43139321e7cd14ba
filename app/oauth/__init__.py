"""The OAuth 2.0 authorization server: a learner lets somebody else's software at their badges, a partner's system gets tokens.

Specifications: RFC 6749 (authorization code, client credentials, refresh token), RFC 7636 (PKCE, S256 only), RFC 7591
(registration), RFC 7009 (revocation), RFC 7662 (introspection), RFC 8414 (metadata), RFC 9207 (`iss`), and the profile of them
in Open Badges 3.0, section "Open Badges API". The rules of the protocol are oauthlib's: `protocol.py` answers its questions from
facts that were loaded before, so that nothing of it waits for the database, and tells what is to be written afterwards, in the
same transaction. The pages on which a learner consents are in `app.public`.
An authorization is what one consent gave one client once: its code, and all tokens that came of it. It ends as a whole when its
code or a refresh token comes a second time.
Rejected: implicit and password grants, public clients, PKCE `plain`, JWT access tokens (they cannot be revoked), tokens of
learners on our own API.
"""
