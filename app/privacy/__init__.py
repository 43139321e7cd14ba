"""A person's rights over what is known of them: everything on request, and its end.

Erasing destroys the learner's key, so that all that is sealed under it (identities, badges, evidence, rationales, kept answers)
can never be read again, here or in a backup made afterwards. What stays is the register: ids, levels, states, digests, times,
and status lists, so the copy the holder has goes on verifying. The public address of an erased badge answers 410.
"""
