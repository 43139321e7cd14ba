"""The OAuth 2.0 authorization server: registered clients, consent, codes, access and refresh tokens, client credentials."""
