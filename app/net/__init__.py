"""The only way out of this service: HTTP to addresses that strangers choose.

Verifying a badge means fetching what it points at (its issuer's DID document, its status list), so whoever sends a
badge chooses where this service connects. `client.py` is therefore the one place that opens outbound connections,
`addresses.py` says which addresses it may open them to, and `did.py` turns a verification method's name into a key.

Rejected: a proxy for egress (one more thing to run for a small installation; a firewall is still advised), following
redirects (a second choice of address for a stranger), and answers that tell why a fetch failed (they would make this
service a port scanner).
"""
