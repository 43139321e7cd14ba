"""The audit trail: who did what to which object when, as ids and digests, append-only and chained.

It holds no personal data and no content: the digest lets anyone who has the content prove that it is the one recorded.

Every issuer has a chain, and the platform has one. A link carries its position, the digest of the link before, and a digest
over both and every column of its entry, so that a byte changed anywhere shows, and where. Links are drawn just before the
commit under the lock of the chain's head: positions are without gaps and in commit order. What a chain cannot show is that
all of it was written anew; whoever keeps the heads that `assay audit verify` prints elsewhere can show that too.
"""
