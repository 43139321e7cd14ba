"""Who a badge is about, when that changes: a learner's new name, address or DID, another one beside it, and two learners who
turn out to be one.

A change is one transaction: identities, the learner's `identity_version`, and the job that reissues what badges now say wrongly.
The job signs each such badge anew from its stored decision: same id, later `validFrom`, `awardedDate` and `validUntil` kept, the
status bit of the edition before set. Which badges those are follows from what they say, not from what was changed.
"""
