"""Learners: the people who earn. What is known of them stands apart from the register of badges.

Each learner has a key of their own; name, e-mail address and DID are sealed under it, and so are their badges and evidence.
An identity can be found again by a keyed hash. Destroying the key makes all of it unreadable, while the register, made of ids
and digests, stays whole.
"""
