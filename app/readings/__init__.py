"""Readings: one assessor's independent scores of one submission, and how they become the scores of record.

Who reads is chosen by load and without conflict of interest, and only who is certified today may submit. Blind both ways: a
reading shows the work without its author, and nothing of any other reading exists for an assessor until resolution. Second
readings are drawn by a sampler whose seed is committed to before its window (`sampler.py`), or triggered by the policy.
Rejected: assignments that name what kind of reading they are; averages of scores; re-reading with the first scores in sight.
"""
