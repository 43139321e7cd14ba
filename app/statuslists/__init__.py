"""Bitstring status lists: one entry per edition of a badge, one list per issuer and purpose, more when one is full.

`bitstring.py` is the standard (Bitstring Status List v1.0) and pure; `store.py` hands out indexes; `publish.py` flips bits and
signs the list that shows them. A list's indexes come from a deck shuffled when the list is opened: each is drawn once, and the
order of draws tells nothing of the order of awards. Lists only move forward: a bit of a revocation never returns to 0.
"""
