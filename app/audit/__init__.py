"""The audit table: who did what to which object when, as ids and digests, append-only.

It holds no personal data and no content: the digest lets anyone who has the content prove that it is the one recorded.
"""
