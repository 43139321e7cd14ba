"""What questions a decision that stands: a learner's appeal, and moderation, which reopens a batch of decisions.

Both end in a reading by somebody new and, where the outcome changes, in a decision that supersedes the one before, with a reason
code. An appeal is filed once for a decision, within its time, and may change it up or down; what we got wrong ourselves is
mended upward only (hold harmless).
"""
