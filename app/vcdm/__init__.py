"""The Verifiable Credentials Data Model, 2.0 and 1.1: what a credential or presentation of anyone has to look like. PURE."""
